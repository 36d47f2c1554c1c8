"""Euler ancestral; with eta 0 it is Euler's rule, and DDIM in units of sigma."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def ancestral_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One first-order step with fresh noise: Song et al. 2021 (DDIM), equation 12."""
    down, up = ancestral_split(sigma, sigma_next, context.eta)
    slope = (x - denoise(x, sigma)) / sigma
    x = x + slope * (down - sigma)
    return x + context.normal() * up if up > 0 else x
