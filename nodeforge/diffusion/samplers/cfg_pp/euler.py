"""Euler's rule by CFG++, with and without fresh noise."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def euler_cfg_pp_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One first-order step: Chung et al. 2024 (CFG++), algorithm 2, as DDIM in units of sigma.

    The guided estimate is noised again with what the negative prompt takes for noise.
    """
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    without = clean if context.unguided is None else context.unguided
    down, up = ancestral_split(sigma, sigma_next, context.eta)
    x = clean + down * ((x - without) / sigma)
    return x + context.normal() * up if context.eta else x
