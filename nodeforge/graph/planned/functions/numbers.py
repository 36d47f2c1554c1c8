"""Numbers from numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from nodeforge.errors import RequestError
from nodeforge.graph.planned.draws import Draws
from nodeforge.graph.planned.functions.texts import Holds, ordered
from nodeforge.spec.arithmetic import ExpressionError, evaluate


class NumberError(RequestError):
    """A number that cannot be had."""


class Calculated(NamedTuple):
    """A number in the three forms that inputs take."""

    number: float
    whole: int
    holds: bool


def expression(formula: str, a: float, b: float, c: float, d: float) -> Calculated:
    """The value of `formula`, rounded to the nearest whole number, and whether it is not 0.

    Raises:
        NumberError: it is no expression, or has no value.
    """
    try:
        value = evaluate(formula, {"a": a, "b": b, "c": c, "d": d})
    except ExpressionError as error:
        raise NumberError(
            f"'{formula}' {error}.",
            place="port 'formula'",
            way_out="Write arithmetic with a, b, c, d, for example 'round(a / 8) * 8'.",
        ) from None
    return Calculated(float(value), round(value), bool(value))


class Random(NamedTuple):
    """A random number, and a whole one."""

    number: float
    whole: int


def random(seed: int, minimum: float, maximum: float) -> Random:
    """A number from `minimum` up to `maximum` that `seed` says, and a whole one, both included.

    Raises:
        NumberError: the range is turned round, or holds no whole number.
    """
    least, most = math.ceil(minimum), math.floor(maximum)
    if minimum > maximum:
        raise NumberError(
            f"the range from {minimum:g} to {maximum:g} is turned round.",
            place="port 'maximum'",
            way_out="Swap its ends.",
        )
    share, place = Draws(seed).share(), Draws(seed).below(most - least + 1) if most >= least else 0
    number = min(maximum, minimum * (1 - share) + maximum * share)
    return Random(number, least + place if most >= least else round(number))


def compare(first: float, second: float, operator: str) -> Holds:
    """Whether `first` stands to `second` as `operator` says."""
    return Holds(ordered(first, second, operator))


class PictureSize(NamedTuple):
    """The size of a picture in pixels."""

    width: int
    height: int


def picture_size(file: Path) -> PictureSize:
    """The size of the picture in `file`, as it stands upright, from its header.

    Raises:
        PictureError: it is no picture that can be read.
    """
    from nodeforge.imaging import upright_size  # only here: it brings numpy, slow to import

    return PictureSize(*upright_size(file))


class VideoFacts(NamedTuple):
    """What a video is, as the header of its file says."""

    width: int
    height: int
    frames: int
    rate: float
    seconds: float
    sound: bool


def video_facts(file: Path) -> VideoFacts:
    """What the video in `file` is, upright and of square pixels, from its header.

    Raises:
        MediaError: it is no video that can be read, or its header says no length.
    """
    known = file.stat()
    return _facts(file, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=64)
def _facts(file: Path, changed: int, size: int) -> VideoFacts:
    """Kept while the file stays as it is: a workflow is planned after every edit."""
    from nodeforge.media import MediaError, probe_video  # only here: it brings FFmpeg

    del changed, size
    told = probe_video(file)
    if not told.count:
        raise MediaError(
            "does not say how long it is.",
            place=str(file),
            way_out="Save it anew, as MP4 for instance.",
        )
    seconds = told.seconds or told.count / told.rate
    sound = told.audio is not None
    return VideoFacts(told.width, told.height, told.count, told.rate, seconds, sound)
