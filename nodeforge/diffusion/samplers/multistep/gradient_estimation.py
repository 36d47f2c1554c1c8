"""Gradient estimation: Euler's rule along a slope that is carried on from the step before."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_GAMMA = 2.0


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    cfg_pp: bool,
) -> Tensor:
    """One step: Permenter and Yuan 2024, "Interpreting and Improving Diffusion Models from an
    Optimization Perspective", algorithm 2, with gamma 2.

    With `cfg_pp`, the slope is the negative prompt's: Chung et al. 2024 (CFG++), algorithm 1.
    """
    clean = denoise(x, sigma)
    without = context.unguided if cfg_pp and context.unguided is not None else clean
    slope = (x - without) / sigma
    before = list(context.history)
    context.remember(slope, sigma, 1)
    if sigma_next == 0:
        return clean
    step = sigma_next - sigma
    x = clean + slope * sigma_next if cfg_pp else x + slope * step
    for earlier, _ in before:
        x = x + (_GAMMA - 1) * (slope - earlier) * step
    return x


gradient_estimation_step = partial(_step, cfg_pp=False)
gradient_estimation_cfg_pp_step = partial(_step, cfg_pp=True)
