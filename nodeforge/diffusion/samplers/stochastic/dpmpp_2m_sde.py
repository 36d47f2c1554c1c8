"""SDE-DPM-Solver++(2M): DPM-Solver++(2M) with fresh noise at every step."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    heun: bool,
) -> Tensor:
    """One multistep step: Lu et al. 2022 (DPM-Solver++), section 5, midpoint; eta as DDIM's.

    With `heun`, the estimate's change is integrated exactly instead of by half.
    """
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
        weight = (1 - toward / (h + context.eta * h)) / ratio if heun else toward / (2 * ratio)
        x = x + weight * (clean - earlier)
    spread = sigma_next * (-(-2 * context.eta * h).expm1()) ** 0.5
    return x + context.between(sigma, sigma_next) * spread if context.eta else x


dpmpp_2m_sde_step = partial(_step, heun=False)
dpmpp_2m_sde_heun_step = partial(_step, heun=True)
