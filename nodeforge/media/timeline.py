"""Which frames of a file a clip takes: by presentation times, evenly spaced.

The rule is that of FFmpeg's fps filter: frame k of a clip of rate r is the last one whose time is
less than (k + 1/2) / r after the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from nodeforge.media.errors import RangeError

Times = NDArray[np.float64]
MOST_RATE = 1000.0
"""Frames a second; what a file says beyond is nonsense."""


RATE = "frame_rate"
"""The text with the rate of GIF and WebP, whose times are rounded, or of which equal frames are
stored as one, so that the times alone do not tell it."""


class TimeUnit(StrEnum):
    """What the start and end of a range count."""

    SECONDS = "seconds"
    FRAMES = "frames"


@dataclass(frozen=True)
class Selection:
    """What is read of a video.

    Args:
        start: Where it begins, from 0.
        end: Where it ends, which is not part of it; 0 is the end of the file.
        unit: Of start and end.
        rate: Frames a second; frames are dropped or repeated. 0 keeps the file's.
        every: Of so many frames one is taken; the rate falls with it, the length stays.
        most: How many frames at most; 0 is any number.
        width: Pixels; 0 goes by the height in proportion, or is the file's.
        height: Pixels; the same by the width.
    """

    start: float = 0.0
    end: float = 0.0
    unit: TimeUnit = TimeUnit.SECONDS
    rate: float = 0.0
    every: int = 1
    most: int = 0
    width: int = 0
    height: int = 0

    def seconds(self, rate: float) -> tuple[float, float]:
        """Start and end in seconds, for a file of `rate`; infinite where there is no end."""
        unit = 1.0 if self.unit is TimeUnit.SECONDS else 1.0 / rate
        return self.start * unit, self.end * unit if self.end > 0 else float("inf")

    def check(self) -> None:
        """Refuse what no file can meet.

        Raises:
            RangeError: a number is negative, or the end is not after the start.
        """
        numbers = (self.start, self.end, self.rate, self.every - 1, self.most)
        sizes = (self.width, self.height)
        if not all(np.isfinite(each) and each >= 0 for each in (*numbers, *sizes)):
            raise RangeError(
                "a range, rate or size is negative or not a number.", way_out="Give numbers from 0."
            )
        if self.end and self.end <= self.start:
            raise RangeError(
                f"the end, {self.end:g}, is not after the start, {self.start:g} {self.unit}.",
                way_out="Raise 'end', or set it to 0 for the end of the file.",
            )
        if self.rate > MOST_RATE:
            raise RangeError(
                f"{self.rate:g} frames a second are more than {MOST_RATE:g}, the most of a clip.",
                way_out="Lower 'rate'.",
            )


def told_rate(text: Mapping[str, str]) -> float:
    """The rate in the texts of a file; 0 where there is none."""
    try:
        rate = float(text.get(RATE, ""))
    except ValueError:
        return 0.0
    return rate if 0.01 <= rate <= MOST_RATE else 0.0


def frame_rate(
    times: Times, end: float, told: float = 0.0, slack: float = 0.1
) -> tuple[float, bool]:
    """Frames a second of presentation times, and whether they are evenly spaced.

    Uneven ones have the rate of most of their distances, as a phone's 30 that drops frames has.

    Args:
        times: Seconds, rising, rounded to what the container counts in.
        end: When the last frame ends.
        told: The rate that the file says; 0 is none. It holds where the times are multiples of it.
        slack: By what share of a frame they may be off.
    """
    count = len(times)
    places = (times - times[0]) * told
    if told and (count > 1 or slack > 0.1) and np.abs(places - np.round(places)).max() <= slack:
        near = slack > 0.1 or round(places[-1]) == count - 1
        if near:
            return told, True
    average = count / max(end - times[0], 1e-6)
    if count < 2:
        return neat_rate(average), True
    between = (count - 1) / max(times[-1] - times[0], 1e-6)
    for rate in dict.fromkeys((neat_rate(between), between, neat_rate(average), average)):
        off = np.abs((times - times[0]) * rate - np.arange(count))
        if off.max() < 0.5:
            return rate, True
    return neat_rate(1.0 / float(np.median(np.diff(times)))), False


def neat_rate(rate: float) -> float:
    """`rate`, or the whole or NTSC rate (30000/1001, ...) that it is within 1 in 1000 of."""
    rate = min(max(rate, 0.01), MOST_RATE)
    whole = max(1, round(rate))
    ntsc = max(1, round(rate * 1.001)) * 1000 / 1001
    near = min((float(whole), ntsc), key=lambda each: abs(each - rate))
    return near if abs(near - rate) < 5e-4 * rate else rate


def rate_fraction(rate: float) -> Fraction:
    """`rate` as files hold it: 23.976... is 24000/1001."""
    for times in (1, 1001):
        over = round(rate * times / (1 if times == 1 else 1000))
        made = Fraction(over * (1 if times == 1 else 1000), times)
        if over and abs(float(made) - rate) < 1e-5 * rate:
            return made
    return Fraction(rate).limit_denominator(10_000)


def chosen_frames(
    times: Times, end: float, file_rate: float, selection: Selection
) -> tuple[NDArray[np.intp], float]:
    """Indices into `times` of the frames of a clip, in order, and the clip's rate.

    Args:
        times: Seconds, rising, of the frames of the file, or of its part around the range.
        end: When the last of them ends.
        file_rate: Frames a second of the file.
        selection: What is taken.

    Raises:
        RangeError: nothing of the file lies in the range.
    """
    start, stop = selection.seconds(file_rate)
    stop = min(stop, end)
    if start >= end - 0.25 / file_rate:
        raise RangeError(
            f"starts at {start:g} s, but the video lasts {end:.3f} s.",
            way_out=f"Choose a start below {end:.3f} s ({max(1, round(end * file_rate))} frames).",
        )
    rate = selection.rate or file_rate
    count = max(1, round((stop - start) * rate))
    slots = start + (np.arange(0, count, selection.every) + 0.5) / rate
    if selection.most:
        slots = slots[: selection.most]
    indices = np.searchsorted(times, slots - 1e-6, side="right") - 1
    return np.clip(indices, 0, len(times) - 1), rate / selection.every
