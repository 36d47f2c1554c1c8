"""UniPC of up to third order, which ends at a trace of noise, as the authors' code does."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_ORDER = 3
_LAST = 0.001
"""The sigma that stands for 0, whose logarithm has no end."""


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    first: bool,
) -> Tensor:
    """Zhao et al. 2023 (UniPC), Algorithms 1 and 2, data prediction, in units of sigma.

    Orders rise from one at the run's start and fall to one at its end; a run of few steps has
    fewer. A run of one step has none: x is only scaled, as the authors' code does. `first`
    chooses B(h) = h, bh1, instead of B(h) = exp(h) - 1, bh2.
    """
    clean = denoise(x, sigma)
    steps = len(context.levels) - 1 if context.levels is not None else _ORDER + context.index + 2
    most = min(_ORDER, steps - 1)
    if context.x_before is not None:
        order = _order(context.index, most, steps)
        x = _corrected(context.x_before, clean, sigma, context.history[:order], first)
    context.remember(clean, sigma, _ORDER)
    context.x_before = x
    target = sigma_next if sigma_next > 0 else sigma_next + _LAST
    order = _order(context.index + 1, most, steps)
    if most < 1:
        return x * ((1 + target**2) / (1 + sigma**2)) ** 0.5
    return _predicted(x, target, context.history[:order], first)


def _order(place: int, most: int, steps: int) -> int:
    """Of the update that leads to level `place`."""
    return place if place < most else min(most, steps + 1 - place)


def _predicted(
    x: Tensor, target: Tensor, known: list[tuple[Tensor, Tensor]], first: bool
) -> Tensor:
    h, x = _straight(x, target, known[0])
    ratios, differences = _differences(h, known)
    if not differences:
        return x
    # a single difference counts one half, the paper's simplification
    weights = [0.5] if len(differences) == 1 else _solved(ratios, h, first)
    return x - _b(h, first) * _sum(weights, differences)


def _corrected(
    x: Tensor, clean: Tensor, sigma: Tensor, known: list[tuple[Tensor, Tensor]], first: bool
) -> Tensor:
    """The last step again, now that the estimate at its end, `clean`, is known."""
    h, x = _straight(x, sigma, known[0])
    ratios, differences = _differences(h, known)
    differences.append(clean - known[0][0])
    weights = [0.5] if len(differences) == 1 else _solved([*ratios, 1.0], h, first)
    return x - _b(h, first) * _sum(weights, differences)


def _straight(x: Tensor, target: Tensor, last: tuple[Tensor, Tensor]) -> tuple[float, Tensor]:
    """The way in log sigma, below 0, and x at its end if the estimate did not change."""
    clean, sigma = last
    h = -float((sigma / target).double().log())
    return h, target / sigma * x - float(np.expm1(h)) * clean


def _differences(h: float, known: list[tuple[Tensor, Tensor]]) -> tuple[list[float], list[Tensor]]:
    """Ways back to the estimates before, as shares of h, and what the estimates changed."""
    clean, sigma = known[0]
    ratios = [float((sigma / level).double().log()) / -h for _, level in known[1:]]
    pairs = zip(known[1:], ratios, strict=True)
    return ratios, [(earlier - clean) / ratio for (earlier, _), ratio in pairs]


def _solved(ratios: list[float], h: float, first: bool) -> list[float]:
    """Weights with which the differences give the integral to their order: equation 5."""
    moment, power, moments = np.expm1(h) / h - 1, 1, []
    for order in range(len(ratios)):
        moments.append(moment * power / _b(h, first))
        power *= order + 2
        moment = moment / h - 1 / power
    places = np.vander(np.array(ratios), len(ratios), increasing=True).T
    return list(np.linalg.solve(places, np.array(moments)))


def _b(h: float, first: bool) -> float:
    return h if first else float(np.expm1(h))


def _sum(weights: list[float], differences: list[Tensor]) -> Tensor | float:
    return sum(float(w) * each for w, each in zip(weights, differences, strict=True))


unipc_third_step = partial(_step, first=False)
unipc_third_bh1_step = partial(_step, first=True)
