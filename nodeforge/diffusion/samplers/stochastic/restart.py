"""Restart: Heun's rule, and once at little noise back up to more, to undo errors made there."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from nodeforge.diffusion.samplers.single_step.heun import heun_step
from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext
from nodeforge.diffusion.schedules.spacings import karras

_LOW, _HIGH, _STEPS = 0.1, 2.0, 9


def restart_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step, with the way back up where it passes the lower level: Xu et al. 2023, Algorithm 1.

    Where the last level above 0 is not that low, the way back up is before the last step; where
    it is above the higher level, there is none. It never goes above the level that the run began
    at, so that a picture is not lost.
    """
    if not context.history:
        context.remember(sigma, sigma, 1)
    passes = sigma_next < _LOW <= sigma
    if passes and sigma_next == 0:
        x = _again(denoise, x, sigma, context)
    x = heun_step(denoise, x, sigma, sigma_next, context)
    return _again(denoise, x, sigma_next, context) if passes and sigma_next > 0 else x


def _again(denoise: Denoiser, x: Tensor, sigma: Tensor, context: StepContext) -> Tensor:
    """From `sigma` up to more noise, and down to it."""
    top = context.history[0][1].clamp(max=_HIGH)
    if top <= sigma:
        return x
    x = x + context.normal() * (top**2 - sigma**2) ** 0.5
    for level, below in pairwise(karras(torch.stack([sigma, top]), _STEPS + 1)):
        x = heun_step(denoise, x, level, below, context)
    return x
