"""Heun's rule: two model calls a step."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def heun_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One second-order deterministic step: Karras et al. 2022, Algorithm 1."""
    del context
    slope = (x - denoise(x, sigma)) / sigma
    x_next = x + slope * (sigma_next - sigma)
    if sigma_next == 0:
        return x_next
    slope_next = (x_next - denoise(x_next, sigma_next)) / sigma_next
    return x + (slope + slope_next) / 2 * (sigma_next - sigma)
