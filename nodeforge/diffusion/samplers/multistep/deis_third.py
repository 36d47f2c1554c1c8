"""DEIS of up to third order, in the time of a variance-preserving process (tAB-DEIS)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from nodeforge.diffusion.samplers.multistep.extrapolation import lagrange
from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_ORDER = 3
_POINTS = 10000
"""Of the sum that stands for the integrals; its error, a ten-thousandth, is part of the sampler."""

_FIRST, _LOWEST, _HIGHEST = 1e-3, 0.002, 80.0
"""The process: time 0.001 has the lowest sigma, time 1 the highest (Karras et al. 2022)."""
_RISE = 2 * (math.log1p(_LOWEST**2) / _FIRST - math.log1p(_HIGHEST**2)) / (_FIRST - 1)
_START = math.log1p(_HIGHEST**2) - 0.5 * _RISE


def deis_third_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep step: Zhang and Chen 2023 (DEIS), equation 15, slopes as polynomials in time.

    The sum is that of diff-sampler (Zhou et al. 2024): both ends count in full.
    """
    slope = (x - denoise(x, sigma)) / sigma
    context.remember(slope, sigma, _ORDER)
    if sigma_next == 0 or len(context.history) == 1:
        return x + (sigma_next - sigma) * slope
    levels = [float(level) for _, level in context.history]
    weights = _weights(levels, float(sigma), float(sigma_next))
    pairs = zip(weights, context.history, strict=True)
    return x + sum(weight * known for weight, (known, _) in pairs)


def _weights(levels: Sequence[float], sigma: float, sigma_next: float) -> list[float]:
    """What the slope at each level counts."""
    start, end = _time(sigma), _time(sigma_next)
    times, known = np.linspace(start, end, _POINTS), [_time(level) for level in levels]
    rates = _rate(times) * (end - start) / _POINTS
    return [float(np.sum(rates * lagrange(times, known, place))) for place in range(len(levels))]


def _time(sigma: float) -> float:
    """The time at which the process has this sigma."""
    return (math.sqrt(_START**2 + 2 * _RISE * math.log1p(sigma**2)) - _START) / _RISE


def _rate(times: np.ndarray) -> np.ndarray:
    """How fast sigma grows with time."""
    grown = np.exp(0.5 * _RISE * times**2 + _START * times)
    return 0.5 * (_RISE * times + _START) * grown / np.sqrt(grown - 1)
