"""What was measured of one model on one device: seconds and distances by sampler and steps.

The distance of a picture to the converged one of the same seed and prompt is the root of the mean
square of their differences, divided by that of two converged pictures of different seeds: 0 is
the same picture, 1 is another one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple

FORMAT = 1
WORTH_CHANGING = 1.1
"""So many times as fast must an attention kernel be to be offered: others are noise."""
_SAME = 0.1
"""A kernel whose predictions differ more is not offered: its pictures are others."""
AS_NEAR = 0.03
"""Distances within a band so wide are the same to the eye: 0 to 3 %, 3 to 6 %, ... Of fewer steps
in the same band none are fewer still, so that what is proposed once is not proposed to be changed
again."""


class CurvePoint(NamedTuple):
    """One number of steps of one sampler, over the prompts: the mean distance, and the median of
    the seconds, as another program may have slowed one down.

    Args:
        steps: Whole steps.
        distance: To the converged picture.
        seconds: Of the denoise loop; None where every result was cached before.
    """

    steps: int
    distance: float
    seconds: float | None


@dataclass(frozen=True)
class Cell:
    """One measured run.

    Args:
        sampler: Its name.
        steps: Whole steps.
        prompt: Which of the prompts, counted from 0.
        seconds: Of the denoise loop; None where its result was cached before.
        distance: To the converged picture; None for samplers that add noise, which have none.
    """

    sampler: str
    steps: int
    prompt: int
    seconds: float | None = None
    distance: float | None = None


@dataclass(frozen=True)
class AttentionSpeed:
    """What a call of the denoiser takes with one attention kernel.

    Args:
        way: The kernel's name in the settings.
        seconds: Of a call with noise of the model's native size; the median of several.
        difference: Of what it predicts from what torch's own choice predicts, relative to that.
    """

    way: str
    seconds: float
    difference: float


@dataclass(frozen=True)
class Conditions:
    """What all runs of a measurement have in common.

    Args:
        key: The content key of the model.
        family, variant: Of the model.
        device: The device's name, as torch tells it.
        device_kind: ``cuda``, ``cpu``, ...
        width, height: Of the pictures, pixels.
        guidance: The guidance scale.
        schedule: The schedule's name, in diffusers' convention.
        samplers: Deterministic samplers; the converged pictures are the first one's.
        steps: Numbers of steps, ascending.
        reference_steps: Steps of the converged pictures.
        stochastic: Samplers that add noise, of which seconds alone are measured.
        stochastic_steps: Their steps.
        prompts: The prompts.
    """

    key: str
    family: str
    variant: str
    device: str
    device_kind: str
    width: int
    height: int
    guidance: float
    schedule: str
    samplers: tuple[str, ...]
    steps: tuple[int, ...]
    reference_steps: int
    stochastic: tuple[str, ...]
    stochastic_steps: int
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Measurement:
    """What is known so far.

    Args:
        conditions: What all runs have in common.
        name: What the model was called.
        spreads: Root mean square difference of two converged pictures, 0 to 1, by prompt.
        cells: What was measured.
        format: Of the file.
        attention: Of each attention kernel that was there; empty where it is not measured, and
            None where the model is too slow for it.
    """

    conditions: Conditions
    name: str
    spreads: Mapping[int, float] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()
    format: int = FORMAT
    attention: tuple[AttentionSpeed, ...] | None = ()

    @property
    def wanted(self) -> int:
        """How many cells there are when all is measured."""
        of = self.conditions
        return len(of.samplers) * len(of.steps) * len(of.prompts) + len(of.stochastic)

    @property
    def is_whole(self) -> bool:
        return len(self.cells) >= self.wanted

    def curve(self, sampler: str) -> tuple[CurvePoint, ...]:
        """The distance of `sampler` by steps, over the prompts of which every step is measured.

        Empty where no prompt is, and for samplers that add noise.
        """
        by_prompt: dict[int, dict[int, Cell]] = {}
        for cell in self.cells:
            if cell.sampler == sampler and cell.distance is not None:
                by_prompt.setdefault(cell.prompt, {})[cell.steps] = cell
        whole = [found for found in by_prompt.values() if {*self.conditions.steps} <= {*found}]
        if not whole:
            return ()
        points = []
        for steps in self.conditions.steps:
            cells = [found[steps] for found in whole]
            seconds = [cell.seconds for cell in cells if cell.seconds is not None]
            distance = fmean(cell.distance or 0.0 for cell in cells)
            points.append(CurvePoint(steps, distance, median(seconds) if seconds else None))
        return tuple(points)

    def faster_attention(self, chosen: str) -> AttentionSpeed | None:
        """The fastest kernel, where it is well ahead of the `chosen` one; None where none is."""
        speeds = {each.way: each for each in self.attention or ()}
        if chosen not in speeds:
            return None
        fastest = min(speeds.values(), key=lambda each: each.seconds)
        is_ahead = fastest.seconds * WORTH_CHANGING <= speeds[chosen].seconds
        return fastest if is_ahead and fastest.difference <= _SAME else None

    def seconds_of_call(self, way: str) -> float:
        """What a call takes with an attention kernel that was measured."""
        return next(each.seconds for each in self.attention or () if each.way == way)

    def seconds_a_step(self, sampler: str) -> float | None:
        """What a step of `sampler` takes; None where it was not measured."""
        cells = [cell for cell in self.cells if cell.sampler == sampler]
        timed = [cell.seconds / cell.steps for cell in cells if cell.seconds is not None]
        return median(timed) if timed else None

    def distance(self, sampler: str, steps: int) -> float | None:
        """The distance after `steps`, between measured numbers on a line of their logarithms.

        None where nothing is known: fewer steps than were measured, or no curve.
        """
        return distance_on(self.curve(sampler), steps)

    def fewest_as_near(self, sampler: str, steps: int) -> CurvePoint | None:
        """The fewest measured steps, less than `steps`, after which the picture is as near.

        None where fewer steps are seen.
        """
        curve = self.curve(sampler)
        here = distance_on(curve, steps)
        if here is None:
            return None
        near = (p for p in curve if p.steps < steps and _band(p.distance) <= _band(here))
        return next(near, None)


def _band(distance: float) -> int:
    """In which band a distance is, with some room for rounding at its upper edge."""
    return math.ceil(distance / AS_NEAR - 1e-9)


def distance_on(curve: tuple[CurvePoint, ...], steps: int) -> float | None:
    """The distance on `curve` after `steps`; beyond its end that of its end."""
    if not curve or steps < curve[0].steps:
        return None
    before = [point for point in curve if point.steps <= steps][-1]
    after = next((point for point in curve if point.steps > steps), None)
    if after is None or before.steps == steps:
        return before.distance
    share = math.log(steps / before.steps) / math.log(after.steps / before.steps)
    low, high = max(before.distance, 1e-6), max(after.distance, 1e-6)
    return math.exp(math.log(low) + share * math.log(high / low))
