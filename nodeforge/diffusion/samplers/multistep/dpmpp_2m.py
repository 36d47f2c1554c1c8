"""DPM-Solver++(2M): second order from the estimate of the step before."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def dpmpp_2m_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep step: Lu et al. 2022 (DPM-Solver++), Algorithm 2, in units of sigma."""
    clean = denoise(x, sigma)
    estimate = clean
    if context.history and sigma_next > 0:
        before, sigma_before = context.history[0]
        ratio = (sigma_before / sigma).log() / (sigma / sigma_next).log()
        estimate = clean + (clean - before) / (2 * ratio)
    context.remember(clean, sigma, 1)
    return sigma_next / sigma * x + (1 - sigma_next / sigma) * estimate
