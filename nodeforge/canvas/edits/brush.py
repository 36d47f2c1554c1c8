"""Brush settings, the stamp of a brush, and the positions of stamps along a stroke."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

LARGEST = 1024
"""Pixels that a brush may be across."""

_LARGE = 64
"""From here on dabs lie on whole pixels; smaller ones on quarters."""


@dataclass(frozen=True)
class Brush:
    """How a stroke looks.

    Args:
        size: Across, pixels, 1..1024.
        hardness: Share of the radius that is solid, 0..1; outside of it the edge fades.
        opacity: What a whole stroke can reach at most, 0..1.
        flow: What one dab adds of what is missing, 0..1.
        spacing: From dab to dab, as a share of the size, 0.01..2.
        pressure_size, pressure_opacity: Whether a pen's pressure counts for them.
    """

    size: float = 20.0
    hardness: float = 0.8
    opacity: float = 1.0
    flow: float = 1.0
    spacing: float = 0.1
    pressure_size: bool = False
    pressure_opacity: bool = False

    def size_at(self, pressure: float) -> float:
        size = self.size * (pressure if self.pressure_size else 1.0)
        return min(max(size, 1.0), float(LARGEST))

    def step_at(self, pressure: float) -> float:
        """Pixels to the next dab."""
        return max(self.size_at(pressure) * min(max(self.spacing, 0.01), 2.0), 0.5)


class Sample(NamedTuple):
    """A place the pen was at, in pixels of the canvas; pixel (0, 0) has its middle at 0.5."""

    x: float
    y: float
    pressure: float = 1.0


class Stamp(NamedTuple):
    """A dab: how much it covers, uint16 with 65535 for all, and where its corner lies."""

    cover: np.ndarray
    left: int
    top: int


def stamp(sample: Sample, size: float, hardness: float) -> Stamp:
    """The dab of a round brush with its middle at `sample`, or near it where it is large."""
    size = _near(size)
    reach = math.ceil(size / 2) + 1
    if size >= _LARGE:
        left, top = (round(middle) - reach for middle in sample[:2])
        return Stamp(_large_disc(size, hardness), left, top)
    x, y = (math.floor(middle * 4) / 4 for middle in sample[:2])
    left, top = math.floor(x) - reach, math.floor(y) - reach
    return Stamp(_small_disc(size, hardness, x - left, y - top), left, top)


def _near(size: float) -> float:
    """`size` to about a fiftieth, so that a pen's pressure meets discs that are made already."""
    return round(size * 4) / 4 if size < 16 else round(1.02 ** round(math.log(size, 1.02)), 1)


@lru_cache(256)
def _small_disc(size: float, hardness: float, x: float, y: float) -> np.ndarray:
    """A disc with its middle at (x, y) of a square array."""
    places = np.arange(2 * math.ceil(size / 2) + 3, dtype=np.float32) + np.float32(0.5)
    return _disc(places - x, places - y, size, hardness)


@lru_cache(48)
def _large_disc(size: float, hardness: float) -> np.ndarray:
    """A disc in the middle of a square array; made of one quarter."""
    places = np.arange(math.ceil(size / 2) + 1, dtype=np.float32) + np.float32(0.5)
    half = _disc(places, places, size, hardness)
    half = np.concatenate([half[:, ::-1], half], axis=1)
    whole = np.concatenate([half[::-1], half])
    whole.flags.writeable = False
    return whole


def _disc(x: np.ndarray, y: np.ndarray, size: float, hardness: float) -> np.ndarray:
    """How much a disc covers of the pixels whose middles lie `x` and `y` from its own."""
    radius = size / 2
    soft = max(radius * (1 - hardness), 1.0)  # at least the pixel that the edge runs through
    far = np.sqrt(np.square(x)[None, :] + np.square(y)[:, None])
    share = np.clip((np.float32(radius + 0.5) - far) * np.float32(1 / soft), 0, 1)
    if soft > 1:
        share *= share * (3 - 2 * share)
    cover = np.rint(share * np.float32(65535)).astype(np.uint16)
    cover.flags.writeable = False
    return cover


class Path:
    """The places of the dabs along a line that is still being drawn.

    Through the points runs a smooth curve (quadratic, from middle to middle of the pieces), so
    that few mouse points give no corners; it lags half a piece behind the pen.
    """

    def __init__(self, brush: Brush, start: Sample) -> None:
        self._brush = brush
        self._last = self._curve = start
        self._to_next = brush.step_at(start.pressure)

    def to(self, point: Sample) -> list[Sample]:
        """The dabs that are certain once the pen is at `point`."""
        middle = _between(self._last, point, 0.5)
        made = list(self._along(_curve(self._curve, self._last, middle)))
        self._last, self._curve = point, middle
        return made

    def straight(self, point: Sample) -> list[Sample]:
        """The dabs of a straight line to `point`, after what is left of the curve."""
        made = self.rest()
        made += self._along(_line(self._last, point))
        self._last = self._curve = point
        return made

    def rest(self) -> list[Sample]:
        """The dabs up to where the pen is."""
        made = list(self._along(_line(self._curve, self._last)))
        self._curve = self._last
        return made

    def _along(self, line: Iterator[tuple[Sample, Sample]]) -> Iterator[Sample]:
        for start, end in line:
            length = math.hypot(end.x - start.x, end.y - start.y)
            gone = 0.0
            while self._to_next <= length - gone and length > 0:
                gone += self._to_next
                sample = _between(start, end, gone / length)
                self._to_next = self._brush.step_at(sample.pressure)
                yield sample
            self._to_next -= length - gone


def _between(start: Sample, end: Sample, share: float) -> Sample:
    return Sample(*(a + (b - a) * share for a, b in zip(start, end, strict=True)))


def _line(start: Sample, end: Sample) -> Iterator[tuple[Sample, Sample]]:
    yield start, end


def _curve(start: Sample, bend: Sample, end: Sample) -> Iterator[tuple[Sample, Sample]]:
    """A quadratic curve in pieces of about 4 pixels."""
    length = math.hypot(bend.x - start.x, bend.y - start.y)
    length += math.hypot(end.x - bend.x, end.y - bend.y)
    count = min(max(math.ceil(length / 4), 1), 64)
    before = start
    for number in range(1, count + 1):
        share = number / count
        after = _between(_between(start, bend, share), _between(bend, end, share), share)
        yield before, after
        before = after
