"""ER-SDE: up to third order, with more noise where there is much of it."""

from __future__ import annotations

import torch
from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_POINTS = 200
"""Of the integrals."""


def er_sde_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep step: Cui et al. 2023 (ER-SDE-Solver-3), algorithm 3, in units of sigma.

    The history holds estimates; beside it stands the slope between the last two.
    """
    clean = denoise(x, sigma)
    before, slope_before = list(context.history), context.memory.get("slope")
    context.remember(clean, sigma, 2)
    if sigma_next == 0:
        return clean
    scale = _noise_scale(sigma_next)
    ratio = scale / _noise_scale(sigma)
    x = ratio * x + (1 - ratio) * clean
    if before:
        step = sigma_next - sigma
        width = -step / _POINTS
        places = sigma_next + torch.arange(_POINTS, dtype=width.dtype) * width
        scales = _noise_scale(places)
        slope = (clean - before[0][0]) / (sigma - before[0][1])
        x = x + (step + (1 / scales).sum() * width * scale) * slope
        if slope_before is not None:
            bend = (slope - slope_before) / ((sigma - before[1][1]) / 2)
            moment = ((places - sigma) / scales).sum() * width
            x = x + (step**2 / 2 + moment * scale) * bend
        context.memory["slope"] = slope
    spread = (sigma_next**2 - sigma**2 * ratio**2).clamp(min=0).sqrt()
    return x + context.normal() * spread


def _noise_scale(sigma: Tensor) -> Tensor:
    """How much noise is taken and given back: the paper's ER SDE 5."""
    return sigma * ((sigma**0.3).exp() + 10.0)
