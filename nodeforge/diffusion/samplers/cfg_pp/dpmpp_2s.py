"""DPM-Solver++(2S) ancestral by CFG++: two model calls a step, and fresh noise."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def dpmpp_2s_cfg_pp_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step over a midpoint: Lu et al. 2022 (DPM-Solver++), Algorithm 1, with CFG++.

    What is carried on is x moved by what guidance changes in its estimate (Chung et al. 2024);
    the second half takes that of the midpoint.
    """
    down, up = ancestral_split(sigma, sigma_next, context.eta)
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    middle = (sigma * down) ** 0.5
    x_middle = middle / sigma * _moved(x, clean, context) + (1 - middle / sigma) * clean
    clean_middle = denoise(x_middle, middle)
    x = down / sigma * _moved(x, clean, context) + (1 - down / sigma) * clean_middle
    return x + context.normal() * up if up > 0 else x


def _moved(x: Tensor, clean: Tensor, context: StepContext) -> Tensor:
    return x if context.unguided is None else x + (clean - context.unguided)
