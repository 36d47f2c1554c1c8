"""Numbers from numbers."""

from pathlib import Path
from typing import Annotated, Any

from nodeforge.api import Choice, File, Range, Seed, node
from nodeforge.graph.planned.functions import list_changes, numbers
from nodeforge.graph.planned.functions.list_changes import One
from nodeforge.graph.planned.functions.numbers import (
    Calculated,
    PictureSize,
    Random,
    VideoFacts,
)
from nodeforge.graph.planned.functions.texts import Holds


@node("values.expression", planned=True)
def expression(
    formula: str = "a + b", a: float = 0.0, b: float = 0.0, c: float = 0.0, d: float = 0.0
) -> Calculated:
    """Calculate a number from up to four others.

    It knows ``+ - * / // % **``, brackets, comparisons, ``and``, ``or``, ``not``,
    ``a if c > 0 else b``, pi, and the functions abs, ceil, clamp, cos, floor, log, max, min,
    round, sin, sqrt. A comparison is 1 where it holds, else 0.

    Args:
        formula: The arithmetic, for example ``round(a * 1.5 / 8) * 8``.
        a: A number that the formula calls a.
        b: A number that the formula calls b.
        c: A number that the formula calls c.
        d: A number that the formula calls d.

    Returns:
        number: The result.
        whole: The result, rounded to a whole number.
        holds: Whether the result is not 0; links to a switch.
    """
    return numbers.expression(formula, a, b, c, d)


@node("values.random", title="Random number", planned=True)
def random(
    seed: Annotated[int, Seed()] = 0,
    minimum: Annotated[float, Range(-1e9, 1e9)] = 0.0,
    maximum: Annotated[float, Range(-1e9, 1e9)] = 1.0,
) -> Random:
    """Draw a number; the same seed gives the same on every machine.

    Args:
        seed: Says which number.
        minimum: The least that it may be.
        maximum: The most that it may be.

    Returns:
        number: A decimal number in the range.
        whole: A whole number in the range, each as likely; where there is none, the nearest one.
    """
    return numbers.random(seed, minimum, maximum)


@node("values.compare", title="Compare numbers", planned=True)
def compare(
    first: float = 0.0,
    second: float = 0.0,
    operator: Annotated[str, Choice("=", "≠", "<", "≤", ">", "≥")] = "=",
) -> Holds:
    """Compare two numbers.

    Args:
        first: A number.
        second: The number that it is compared with.
        operator: How they are compared.

    Returns:
        holds: Whether the comparison holds; links to a switch, as a number 1 or 0.
    """
    return numbers.compare(first, second, operator)


@node("values.choose", title="Choose value", planned=True)
def choose(values: list[Any], index: int = 0) -> One:
    """Pass on one of several numbers or texts; pictures and others go through a switch.

    Args:
        values: The values.
        index: Which of them, counted from 0; -1 is the last.

    Returns:
        value: The chosen value.
    """
    return list_changes.choose(values, index)


@node("values.picture_size", title="Size of picture file", planned=True)
def picture_size(file: Annotated[Path, File("image")]) -> PictureSize:
    """Tell the size of a picture from the header of its file, before a run.

    Args:
        file: The picture.

    Returns:
        width: Its width in pixels, as it stands upright.
        height: Its height in pixels, as it stands upright.
    """
    return numbers.picture_size(file)


@node("values.video_facts", title="Facts of video file", planned=True)
def video_facts(file: Annotated[Path, File("video")]) -> VideoFacts:
    """Tell size, frames and length of a video from the header of its file, before a run.

    Args:
        file: The video.

    Returns:
        width: Its width in pixels, as it is shown.
        height: Its height in pixels, as it is shown.
        frames: How many there are.
        rate: Frames a second.
        seconds: How long it is.
        sound: Whether it has sound.
    """
    return numbers.video_facts(file)
