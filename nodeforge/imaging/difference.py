"""Where two pictures differ: what an edit changed, apart from what it disturbed or moved."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nodeforge.imaging.arrays import Pixels, alike, check_same_size, each
from nodeforge.imaging.colour import luminance
from nodeforge.imaging.errors import PictureError
from nodeforge.imaging.masks import feather, grow

_BLUR = 1.5
"""Spread of the smoothing before pixels are compared, pixels: single ones are no edit."""
_LEAST = 0.04
"""How far apart, of 0..1, what changed and what did not must lie: less is an encoder's drift."""
_DRIFT = 3 / 255
"""What every encoder makes of a picture, at least."""
_SPECK = 3
"""Side of what is no edit, and of gaps within one, pixels."""
_LEVELS = 256
_MOST_PSNR = 100.0
_BETTER = 0.8
"""A shift counts where the pictures then differ by less than this share of what they did."""
Scalar = TypeVar("Scalar", bound=np.generic)


def difference(before: Pixels, after: Pixels) -> Pixels:
    """How far two pictures of one size lie apart, smoothed: (height, width), 0..1.

    The largest difference of a channel counts; alpha does not.
    """
    check_same_size(before, after)
    apart = np.abs(before[..., :3] - after[..., :3])
    smooth = cv2.GaussianBlur(apart, (0, 0), _BLUR, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, np.float32).max(axis=-1)


class Similarity(NamedTuple):
    """How alike two pictures are, in numbers.

    Args:
        mean: Mean absolute difference of all channels, 0..1.
        largest: The largest difference of a channel, 0..1.
        changed: Share of the pixels that differ at all, 0..1.
        psnr: Peak signal-to-noise ratio, decibels; at most 100, which stands for equal.
    """

    mean: float
    largest: float
    changed: float
    psnr: float


def similarity(before: Pixels, after: Pixels) -> Similarity:
    """How alike pictures are that lie along each other in two arrays.

    Args:
        before, after: (batch, height, width, 3 or 4), 0..1; a batch of one goes with every
            other, and a missing alpha is opaque.

    Raises:
        SizeMismatchError: the sizes, or the numbers of pictures, differ.
        PictureError: a value is no number.
    """
    before, after = alike(before, after)
    apart = each(_apart, before, after).astype(np.float64)
    if not np.isfinite(apart).all():
        raise PictureError(
            "a picture has values that are no numbers (NaN).",
            way_out="Look for the node that made them.",
        )
    square = float(np.square(apart).mean())
    return Similarity(
        float(apart.mean()),
        float(apart.max()),
        float((apart.max(axis=-1) > 0).mean()),
        min(_MOST_PSNR, -10 * math.log10(square)) if square else _MOST_PSNR,
    )


def _apart(first: Pixels, second: Pixels) -> Pixels:
    check_same_size(first, second)
    return np.abs(first - second)


def difference_mask(
    before: Pixels,
    after: Pixels,
    threshold: float | None = None,
    grown: int = 4,
    soft: int = 4,
) -> Pixels:
    """A mask of what an edit changed: (height, width), 1 there.

    Args:
        before, after: Of one size, (height, width, 3 or 4), 0..1.
        threshold: How far apart what changed lies at least, 0..1; None divides differences where
            that tells them apart best (Otsu 1979), takes what hangs together with what lies
            above (hysteresis, Canny 1986), and finds nothing where they are all alike.
        grown: Pixels by which the mask is larger than what changed.
        soft: Pixels of its soft edge, outside of that.

    Raises:
        ImageMismatchError: the pictures have different sizes.
    """
    apart = difference(before, after)
    if threshold is not None:
        changed = (apart > threshold).astype(np.float32)
    elif (levels := _otsu(apart)) is not None:
        changed = _around_seeds(apart, *levels)
    else:
        return np.zeros_like(apart)
    speck = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK, _SPECK))
    changed = cv2.morphologyEx(changed, cv2.MORPH_OPEN, speck)
    changed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, speck)
    # the soft edge reaches `soft` pixels to both sides: what changed stays wholly inside
    return feather(grow(np.asarray(changed, np.float32), grown + soft), soft)


def _around_seeds(apart: Pixels, low: float, high: float) -> Pixels:
    """Where `apart` is above `low` in one piece with what is above `high`: hysteresis."""
    _, pieces = cv2.connectedComponents((apart > low).astype(np.uint8), connectivity=8)
    seeds = np.unique(pieces[apart > high])
    return np.isin(pieces, seeds[seeds > 0]).astype(np.float32)


def _otsu(apart: Pixels) -> tuple[float, float] | None:
    """The level that nothing but drift stays under, and the one that divides differences best.

    None where they are of one kind.
    """
    counts, edges = np.histogram(apart, _LEVELS, (0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    total = np.cumsum(counts * middles)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = total / below, (total[-1] - total) / above
        spread = np.nan_to_num(below * above * (low - high) ** 2)
    best = int(spread.argmax())
    if spread[best] <= 0:
        return (0.0, 0.0) if float(apart.min()) > _LEAST else None
    if high[best] - low[best] < _LEAST:
        return None
    level = float(edges[best + 1])
    drift = apart[apart <= level]
    return min(max(float(drift.mean() + 3 * drift.std()), _DRIFT), level), level


class Shift(NamedTuple):
    """Pixels to the right and down."""

    x: int
    y: int


def picture_shift(before: Pixels, after: Pixels, most: int = 16) -> Shift:
    """By how many whole pixels `after` lies right of and below `before`; (0, 0) where it does not.

    Found by phase correlation (Kuglin and Hines 1975), and counted only where the median of the
    differences falls with it, so that what an edit changed decides nothing.

    Args:
        before, after: Of one size, (height, width, 3 or 4), 0..1.
        most: A larger one is none.

    Raises:
        ImageMismatchError: the pictures have different sizes.
    """
    check_same_size(before, after)
    first, second = (np.asarray(luminance(each), np.float32) for each in (before, after))
    height, width = first.shape
    if min(height, width) < 4 * (most + 1):
        return Shift(0, 0)
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    # copies: it multiplies them by the window in place
    (right, down), _ = cv2.phaseCorrelate(first.copy(), second.copy(), window)
    found = Shift(round(right), round(down))
    if found == (0, 0) or max(map(abs, found)) > most:
        return Shift(0, 0)
    inside = (slice(most, -most), slice(most, -most))
    apart = np.median(np.abs(first - second)[inside])
    moved = np.median(np.abs(first - moved_back(second, found))[inside])
    return found if moved < _BETTER * apart else Shift(0, 0)


def moved_back(pixels: NDArray[Scalar], shift: Shift) -> NDArray[Scalar]:
    """`pixels`, (height, width, ...) of any type, without a shift; edges are repeated."""
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(height) + shift.y, 0, height - 1)
    columns = np.clip(np.arange(width) + shift.x, 0, width - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns])
