"""DPM-Solver of orders one to three, and the two samplers that choose their own steps with it.

Lu et al. 2022 (DPM-Solver), in units of sigma: time is -log(sigma), and the network's slope is
the noise that it sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_ABSOLUTE, _RELATIVE, _CAUTION = 0.0078, 0.05, 0.9
"""Errors that the adaptive steps allow, and their safety factor: the paper's Appendix C."""
_LEAST = 0.1
"""Share of a refused step that is tried next, at least."""


def dpm_fast_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """As many model calls as the step spans points of the schedule: Section 3.4 of the paper."""
    step = DpmStep(denoise, x, sigma, float(sigma), float(sigma_next))
    if sigma_next == 0 or context.span == 1:
        return step.first_order()
    return step.second_order(1 / 2) if context.span == 2 else step.third_order()


def dpm_fast_spans(points: int) -> list[int]:
    """How many points of a schedule each step spans, so that `points` calls are made in all.

    The last one, which ends without noise, is a step of its own: in -log(sigma) it is endless.
    """
    whole, rest = divmod(points - 1, 3)
    return [3] * whole + ([rest] if rest else []) + [1]


def dpm_adaptive_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """As many steps as it takes until second and third order agree: Algorithm 3 (DPM-Solver-23).

    Pictures of a batch take the steps that the hardest of them needs.
    """
    if sigma_next == 0:
        return denoise(x, sigma)
    here, end = float(sigma), float(sigma_next)
    length = math.log(here / end)
    while here > end:
        left = math.log(here / end)
        goal = end if length > left * (1 - 1e-6) else here * math.exp(-length)
        step = DpmStep(denoise, x, sigma, here, goal)
        third, second = step.third_order(), step.second_order(1 / 3)
        error = _error(second, third)
        if not error > 1:  # what is not a number any more is no better in smaller steps
            x, here = third, goal
        length *= max(_LEAST, _CAUTION * max(error, 1e-3) ** (-1 / 3))
    return x


def _error(second: Tensor, third: Tensor) -> float:
    """The largest error of an item, as a multiple of what is allowed.

    Against what is reached alone: the paper also takes what the step came from, which is so much
    larger where a step is long that anything passes.
    """
    allowed = (_RELATIVE * second.abs()).clamp(min=_ABSOLUTE)
    shares = ((second - third) / allowed).square().flatten(1).mean(1).sqrt()
    return float(shares.max())


@dataclass
class DpmStep:
    """One step from x at `sigma` to `goal`; slopes are asked for once.

    Args:
        like: A sigma, whose dtype and device are those that the denoiser takes.
    """

    denoise: Denoiser
    x: Tensor
    like: Tensor
    sigma: float
    goal: float

    def __post_init__(self) -> None:
        self._begin = self._slope(self.x, self.sigma)
        self._first: dict[float, Tensor] = {}

    def first_order(self) -> Tensor:
        return self._straight(self.goal)

    def second_order(self, share: float) -> Tensor:
        """Equation 3.8, looking again after `share` of the way."""
        bend = (self._at(share) - self._begin) / (2 * share)
        return self._straight(self.goal) - (self.sigma - self.goal) * bend

    def third_order(self) -> Tensor:
        """Algorithm 2 of the paper, looking again after one and after two thirds of the way."""
        between = self._level(2 / 3)
        x = self._straight(between) - 2 * self._curve(between) * (self._at(1 / 3) - self._begin)
        bend = self._slope(x, between) - self._begin
        return self._straight(self.goal) - 1.5 * self._curve(self.goal) * bend

    def _at(self, share: float) -> Tensor:
        if share not in self._first:
            level = self._level(share)
            self._first[share] = self._slope(self._straight(level), level)
        return self._first[share]

    def _level(self, share: float) -> float:
        return self.sigma * (self.goal / self.sigma) ** share

    def _slope(self, x: Tensor, sigma: float) -> Tensor:
        return (x - self.denoise(x, self.like.new_tensor(sigma))) / sigma

    def _straight(self, level: float) -> Tensor:
        return self.x - (self.sigma - level) * self._begin

    def _curve(self, level: float) -> float:
        """sigma(level) * (expm1(h) / h - 1) of the paper."""
        return (self.sigma - level) / math.log(self.sigma / level) - level
