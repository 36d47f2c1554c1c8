"""DPM-Solver++(2M) by CFG++: second order from the estimate of the step before."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def dpmpp_2m_cfg_pp_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep step: Lu et al. 2022 (DPM-Solver++), Algorithm 2, with CFG++.

    Chung et al. 2024: the guided estimate, noised again with what the negative prompt takes for
    noise. The difference that raises the order is to the negative prompt's estimate before.
    """
    clean = denoise(x, sigma)
    without = clean if context.unguided is None else context.unguided
    before = list(context.history)
    context.remember(without, sigma, 1)
    if sigma_next == 0:
        return clean
    share = sigma_next / sigma
    x = clean + share * (x - without)
    for earlier, sigma_before in before:
        ratio = (sigma_before / sigma).log() / (sigma / sigma_next).log()
        x = x + (1 - share) / (2 * ratio) * (clean - earlier)
    return x
