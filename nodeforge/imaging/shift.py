"""By how many pixels one picture lies beside another: what edit models move without being asked."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nodeforge.imaging.arrays import Pixels, check_same_size
from nodeforge.imaging.colour import luminance

_BETTER = 0.8
"""A shift counts where the pictures then differ by less than this share of what they did."""


Scalar = TypeVar("Scalar", bound=np.generic)


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
