"""SDE-DPM-Solver++(2M): DPM-Solver++(2M) with fresh noise at every step."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def dpmpp_2m_sde_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep step: Lu et al. 2022 (DPM-Solver++), section 5, midpoint; eta as DDIM's."""
    clean = denoise(x, sigma)
    before = list(context.history)
    context.remember(clean, sigma, 1)
    if sigma_next == 0:
        return clean
    h = (sigma / sigma_next).log()
    decay = (-context.eta * h).exp()
    toward = -(-h - context.eta * h).expm1()
    x = sigma_next / sigma * decay * x + toward * clean
    for earlier, sigma_before in before:
        ratio = (sigma_before / sigma).log() / h
        x = x + toward / (2 * ratio) * (clean - earlier)
    spread = sigma_next * (-(-2 * context.eta * h).expm1()) ** 0.5
    return x + context.normal() * spread if context.eta else x
