"""LCM: the clean estimate, with fresh noise up to the next level. For distilled models."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def lcm_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep consistency step: Luo et al. 2023 (LCM)."""
    clean = denoise(x, sigma)
    return clean + sigma_next * context.normal() if sigma_next > 0 else clean
