"""DPM2 and, with fresh noise, DPM2 ancestral: two model calls a step."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def dpm2_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step over a midpoint: Lu et al. 2022 (DPM-Solver), Algorithm 1, in units of sigma."""
    down, up = ancestral_split(sigma, sigma_next, context.eta)
    slope = (x - denoise(x, sigma)) / sigma
    if sigma_next == 0:
        return x + slope * (sigma_next - sigma)
    middle = (sigma * down) ** 0.5
    x_middle = x + slope * (middle - sigma)
    slope = (x_middle - denoise(x_middle, middle)) / middle
    x = x + slope * (down - sigma)
    return x + context.normal() * up if up > 0 else x
