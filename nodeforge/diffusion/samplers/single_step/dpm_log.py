"""DPM-Solver fast and adaptive, even in log sigma from a run's first level to its last above 0.

Katherine Crowson's forms in k-diffusion: where the levels lie between does not count, and the
last of the noise stays.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nodeforge.diffusion.samplers.single_step.dpm_solver import DpmStep, dpm_fast_step
from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_ABSOLUTE, _RELATIVE, _ORDER = 0.0078, 0.05, 3
_FIRST, _ACCEPTED, _END = 0.05, 0.81, 1e-5
"""The first step in log sigma; the least factor of an accepted one; how near the end is there."""


def log_levels(sigmas: Tensor, spans: list[int]) -> Tensor:
    """Even levels in log sigma, one more than `spans`, from the first to the last above 0."""
    ends = sigmas[sigmas > 0][[0, -1]].log()
    return (-torch.linspace(-float(ends[0]), -float(ends[1]), len(spans) + 1)).exp()


def log_fast_spans(points: int) -> list[int]:
    """Orders of the steps, so that `points` model calls are made: k-diffusion's dpm_fast."""
    whole, rest = divmod(points, 3)
    return [3] * whole + [rest] if rest else [3] * (whole - 1) + [2, 1]


def dpm_fast_log_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step of the order that it spans: Lu et al. 2022 (DPM-Solver), Section 3.4.

    A run of one level has no way to go, and is left as it was.
    """
    if sigma_next == sigma:
        denoise(x, sigma)
        return x
    return dpm_fast_step(denoise, x, sigma, sigma_next, context)


def dpm_adaptive_log_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """All steps until the run's end: Lu et al. 2022 (DPM-Solver-23), with k-diffusion's control.

    Errors count against the larger of the second order's result and that of the step before,
    over the whole batch. Söderlind 2003: the width changes by a limited factor.
    """
    del context
    time, end = -sigma.log(), -sigma_next.log()
    width, x_before = _FIRST, x
    while float(time) < float(end) - _END:
        goal = torch.minimum(end, time + width)
        step = DpmStep(denoise, x, sigma, float((-time).exp()), float((-goal).exp()))
        third, second = step.third_order(), step.second_order(1 / 3)
        allowed = (_RELATIVE * torch.maximum(second.abs(), x_before.abs())).clamp(min=_ABSOLUTE)
        error = float(torch.linalg.norm((second - third) / allowed)) / x.numel() ** 0.5
        factor = 1 + math.atan((1 / (error + 1e-8)) ** (1 / _ORDER) - 1)
        if not factor < _ACCEPTED:  # what is not a number any more is no better in smaller steps
            x_before, x, time = second, third, goal
        width *= factor if math.isfinite(factor) else 1.0
    return x
