"""SA-Solver: predictor and corrector of an Adams method, with noise at the levels between."""

from __future__ import annotations

from functools import partial
from math import factorial

import numpy as np
from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_PREDICTOR, _CORRECTOR = 3, 4
"""Orders, as the paper found best."""


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    evaluates_again: bool,
) -> Tensor:
    """One step: Xue et al. 2023 (SA-Solver), algorithm 1, in units of sigma.

    It first corrects the step before with the estimate at its end. Between the levels of
    ``context.stochastic`` tau is 1, elsewhere 0. Towards a level of 0 the orders fall. With
    `evaluates_again` the corrected x is evaluated once more (PECE).
    """
    clean = denoise(x, sigma)
    context.remember(clean, sigma, max(_PREDICTOR, _CORRECTOR))
    ends_clean = context.levels is None or float(context.levels[-1]) == 0
    left = len(context.levels) - 1 - context.index if context.levels is not None else _CORRECTOR
    corrector = min(_CORRECTOR, len(context.history), left if ends_clean else _CORRECTOR)
    if context.x_before is not None and (evaluates_again or sigma_next > 0):
        x = _corrected(x, sigma, corrector, context)
        if evaluates_again:
            clean = denoise(x, sigma)
            context.history[0] = (clean, sigma)
    if sigma_next == 0:
        return clean
    context.x_before = x
    predictor = min(_PREDICTOR, len(context.history), left - 1 if ends_clean else _PREDICTOR)
    high, low = context.stochastic
    tau = 1.0 if low <= float(sigma_next) <= high else 0.0
    x = _moved(x, sigma, sigma_next, tau, context.history[:predictor])
    context.memory.update(tau=tau, sigma=sigma, noise=None)
    if tau:
        spread = (-(-2 * tau**2 * (sigma / sigma_next).log()).expm1()).sqrt()
        noise = context.normal() * sigma_next * spread
        context.memory["noise"] = noise
        x = x + noise
    return x


def _corrected(x: Tensor, sigma: Tensor, order: int, context: StepContext) -> Tensor:
    """The step before again, with the estimate at its end; its noise is the same."""
    if order < 1:
        return x
    assert context.x_before is not None
    start, tau = context.memory["sigma"], context.memory["tau"]
    x = _moved(context.x_before, start, sigma, tau, context.history[:order])
    noise = context.memory["noise"]
    return x if noise is None else x + noise


def _moved(
    x: Tensor, sigma: Tensor, target: Tensor, tau: float, known: list[tuple[Tensor, Tensor]]
) -> Tensor:
    """From `sigma` to `target` along the polynomial through the known estimates.

    Equation 14 of the paper: the integral of the estimate with the weight exp((1 + tau^2) lambda),
    lambda = -log(sigma).
    """
    h = (sigma / target).log()
    weights = _weights([level for _, level in known], sigma, target, tau)
    total = sum(float(weight) * value for weight, (value, _) in zip(weights, known, strict=True))
    return target / sigma * (-(tau**2) * h).exp() * x + total


def _weights(levels: list[Tensor], sigma: Tensor, target: Tensor, tau: float) -> np.ndarray:
    """What each known estimate counts, float64."""
    places = np.array([float((target / level).double().log()) for level in levels])
    h, rate = float((sigma / target).double().log()), 1 + tau**2
    # moments of (lambda - lambda of the target) under the weight, by parts
    count = len(places)
    moments = [_moment(power, h, rate) for power in range(count)]
    return np.linalg.solve(np.vander(places, count, increasing=True).T, np.array(moments))


def _moment(power: int, h: float, rate: float) -> float:
    """The integral of rate * exp(rate * t) * t^power over t from -h to 0."""
    start = sum(
        (-1) ** (power - k) * factorial(power) / factorial(k) * (-h) ** k / rate ** (power - k)
        for k in range(power + 1)
    )
    end = (-1) ** power * factorial(power) / rate**power
    return end - np.exp(-rate * h) * start


sa_solver_step = partial(_step, evaluates_again=False)
sa_solver_pece_step = partial(_step, evaluates_again=True)
