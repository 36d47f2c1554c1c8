"""Levels and curves: brightness to brightness, as image editors enter it, from 0 to 255."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nodeforge.imaging.arrays import Pixels
from nodeforge.imaging.errors import CurveError

Points = Sequence[tuple[float, float]]
_WHITE = 255.0
_MOST_POINTS = 256
_WAY_OUT = "Write points as 0:0, 128:140, 255:255."


class CurveChannel(StrEnum):
    """What a curve changes."""

    COLOURS = "colours"
    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    ALPHA = "alpha"


_PLACES = {
    CurveChannel.COLOURS: slice(0, 3),
    CurveChannel.RED: slice(0, 1),
    CurveChannel.GREEN: slice(1, 2),
    CurveChannel.BLUE: slice(2, 3),
    CurveChannel.ALPHA: slice(3, 4),
}


def levels(
    pixels: Pixels,
    black: float = 0.0,
    white: float = _WHITE,
    gamma: float = 1.0,
    darkest: float = 0.0,
    brightest: float = _WHITE,
) -> Pixels:
    """`pixels` with `black` to `white` spread over `darkest` to `brightest`. Alpha stays.

    Args:
        pixels: (height, width, 3 or 4), 0..1.
        black, white: What becomes the darkest and the brightest, 0..255.
        gamma: Above 1 lifts what is between: share ** (1 / gamma).
        darkest, brightest: What they become, 0..255; the other way round inverts.

    Raises:
        CurveError: white is not above black.
    """
    if not white > black:
        raise CurveError(
            f"white ({white:g}) is not above black ({black:g}).",
            way_out="Give white a larger number than black.",
        )
    share = np.clip((pixels[..., :3].astype(np.float64) * _WHITE - black) / (white - black), 0, 1)
    spread = darkest + (brightest - darkest) * share ** (1 / gamma)
    return _with(pixels, _PLACES[CurveChannel.COLOURS], spread / _WHITE)


def curve(pixels: Pixels, points: Points, channel: CurveChannel = CurveChannel.COLOURS) -> Pixels:
    """`pixels` led through a curve; beyond its ends it is level. Other channels stay.

    Args:
        pixels: (height, width, 3 or 4), 0..1; without alpha, a curve of alpha changes nothing.
        points: As `curve_points` gives them.
        channel: What it changes.
    """
    place = _PLACES[channel]
    led = monotone_cubic(points, pixels[..., place].astype(np.float64) * _WHITE)
    return _with(pixels, place, led / _WHITE)


def _with(pixels: Pixels, place: slice, values: NDArray[np.float64]) -> Pixels:
    out = pixels.copy()
    out[..., place] = np.clip(values, 0, 1)
    return out


def curve_points(text: str) -> Points:
    """The points of ``0:0, 128:140, 255:255``, from the darkest to the brightest.

    Raises:
        CurveError: it is written otherwise, a number is not from 0 to 255, two points lie above
            each other, or there are fewer than 2 or more than 256.
    """
    fields = text.replace(";", ",").replace("\n", ",").split(",")
    points = sorted(_point(field) for field in fields if field.strip())
    if not 2 <= len(points) <= _MOST_POINTS:
        raise CurveError(
            f"a curve of {len(points)} points; it takes 2 to {_MOST_POINTS}.", way_out=_WAY_OUT
        )
    for (x, _), (then, _) in pairwise(points):
        if x == then:
            raise CurveError(f"two points lie at {x:g}.", way_out="Take one of them away.")
    return points


def _point(field: str) -> tuple[float, float]:
    try:
        x, y = (float(number) for number in field.split(":"))
    except ValueError:
        raise CurveError(f"'{field.strip()[:40]}' is no point.", way_out=_WAY_OUT) from None
    if not (0 <= x <= _WHITE and 0 <= y <= _WHITE):  # not a number is neither
        raise CurveError(
            f"the point '{field.strip()[:40]}' is not from 0 to 255.", way_out=_WAY_OUT
        )
    return x, y


def monotone_cubic(points: Points, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve through `points` that never overshoots, at places; level beyond its ends.

    Piecewise cubic (Hermite), monotone between neighbouring points: Fritsch and Carlson 1980,
    *Monotone piecewise cubic interpolation*, with their circle of radius 3.

    Args:
        points: At least two, x strictly rising.
        at: x, of any shape.
    """
    x, y = (np.array(each, np.float64) for each in zip(*points, strict=True))
    slopes = _monotone_slopes(x, y)
    at = np.clip(at, x[0], x[-1])
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = x[i + 1] - x[i]
    t = (at - x[i]) / width
    return (
        (1 + 2 * t) * (1 - t) ** 2 * y[i]
        + t * (1 - t) ** 2 * width * slopes[i]
        + t * t * (3 - 2 * t) * y[i + 1]
        + t * t * (t - 1) * width * slopes[i + 1]
    )


def _monotone_slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    secants = np.diff(y) / np.diff(x)
    slopes = np.concatenate([secants[:1], (secants[:-1] + secants[1:]) / 2, secants[-1:]])
    turns = np.flatnonzero(secants[:-1] * secants[1:] <= 0) + 1
    slopes[turns] = 0
    for k, secant in enumerate(secants):
        if secant == 0:
            slopes[k] = slopes[k + 1] = 0
            continue
        alpha, beta = slopes[k] / secant, slopes[k + 1] / secant
        if (far := math.hypot(alpha, beta)) > 3:
            slopes[k], slopes[k + 1] = (3 / far * share * secant for share in (alpha, beta))
    return slopes
