"""DPM-Solver++(2S) ancestral: two model calls a step, and fresh noise."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def dpmpp_2s_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step over a midpoint: Lu et al. 2022 (DPM-Solver++), Algorithm 1, in units of sigma."""
    down, up = ancestral_split(sigma, sigma_next, context.eta)
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    middle = (sigma * down) ** 0.5
    x_middle = middle / sigma * x + (1 - middle / sigma) * clean
    x = down / sigma * x + (1 - down / sigma) * denoise(x_middle, middle)
    return x + context.normal() * up if up > 0 else x
