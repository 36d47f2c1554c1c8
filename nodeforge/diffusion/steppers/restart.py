"""Restart: Heun's rule, and once at little noise back up to more, to undo errors made there."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from nodeforge.diffusion.spacings import karras
from nodeforge.diffusion.steppers.aid import Aid, Denoiser
from nodeforge.diffusion.steppers.heun import heun_step

_LOW, _HIGH, _STEPS = 0.1, 2.0, 9


def restart_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, aid: Aid
) -> Tensor:
    """One step, with the way back up where it passes the lower level: Xu et al. 2023, Algorithm 1.

    It never goes above the level that the run began at, so that a picture is not lost.
    """
    if not aid.history:
        aid.remember(sigma, sigma, 1)
    x = heun_step(denoise, x, sigma, sigma_next, aid)
    if not 0 < sigma_next < _LOW <= sigma:
        return x
    top = aid.history[0][1].clamp(max=_HIGH)
    x = x + aid.normal() * (top**2 - sigma_next**2) ** 0.5
    for level, below in pairwise(karras(torch.stack([sigma_next, top]), _STEPS + 1)):
        x = heun_step(denoise, x, level, below, aid)
    return x
