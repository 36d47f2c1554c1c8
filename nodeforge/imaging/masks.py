"""Masks: (height, width), 0..1, 1 where a picture may change."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np

from nodeforge.imaging.arrays import Pixels, check_same_size
from nodeforge.imaging.colour import colour_distance

_LARGEST_DISC = 8


class Combine(StrEnum):
    """How two masks make one."""

    ADD = "add"
    SUBTRACT = "subtract"
    INTERSECT = "intersect"


class ColourDistance(StrEnum):
    """How far two colours are apart."""

    CHANNELS = "channels"
    PERCEPTUAL = "perceptual"


class PartOrder(StrEnum):
    """Which part of a mask comes first."""

    LARGEST = "largest first"
    LEFT = "from the left"
    TOP = "from above"


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column that is no longer in it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row that is no longer in it."""
        return self.top + self.height

    def moved(self, right: int, down: int) -> Box:
        return Box(self.left + right, self.top + down, self.width, self.height)

    def overlap(self, other: Box) -> Box | None:
        """What lies in both; None where nothing does."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        width = min(self.right, other.right) - left
        height = min(self.bottom, other.bottom) - top
        return Box(left, top, width, height) if width > 0 and height > 0 else None

    def around(self, other: Box | None) -> Box:
        """The smallest rectangle that holds both."""
        if other is None:
            return self
        left, top = min(self.left, other.left), min(self.top, other.top)
        right, bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        return Box(left, top, right - left, bottom - top)


def invert(mask: Pixels) -> Pixels:
    """1 where `mask` is 0; undone exactly by itself for 8-bit values."""
    return np.float32(1) - mask


def grow(mask: Pixels, pixels: int) -> Pixels:
    """`mask` larger by so many pixels on every side, smaller where `pixels` is negative."""
    change = cv2.dilate if pixels > 0 else cv2.erode
    left = abs(pixels)
    out = mask.copy()
    while left:
        radius = min(left, _LARGEST_DISC)  # a large disc is slow, and about a sum of small ones
        size = 2 * radius + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        out = change(out, disc, borderType=cv2.BORDER_REPLICATE)
        left -= radius
    return np.asarray(out, np.float32)


def threshold(mask: Pixels, level: float) -> Pixels:
    """1 where `mask` is above `level`, 0 elsewhere."""
    return (mask > np.float32(level)).astype(np.float32)


def feather(mask: Pixels, radius: int) -> Pixels:
    """`mask` with soft edges on both sides, `radius` pixels each.

    Farther outside it stays exactly 0, farther inside exactly 1; between it never rises
    on the way out.
    """
    if radius <= 0:
        return mask.copy()
    size = (2 * radius + 1, 2 * radius + 1)
    soft = cv2.GaussianBlur(mask, size, radius / 3, borderType=cv2.BORDER_REPLICATE)
    soft = np.where(soft > 1 - 1e-5, 1, soft)
    return np.clip(soft, 0, 1).astype(np.float32)


def feather_inside(mask: Pixels, radius: int) -> Pixels:
    """`mask` with an edge that fades inwards: 0 stays exactly 0, so nothing outside changes.

    A mask that reaches the picture's border does not fade there.
    """
    if radius <= 0 or not (mask <= 0).any():
        return mask.copy()
    depth = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.clip(depth / np.float32(radius + 1), 0, 1)
    smooth = share * share * (3 - 2 * share)
    return (mask * smooth).astype(np.float32)


def combine(first: Pixels, second: Pixels, how: Combine) -> Pixels:
    """Where either is (add), where both are (intersect), or the first without the second.

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(first, second)
    match how:
        case Combine.ADD:
            return np.maximum(first, second)
        case Combine.SUBTRACT:
            return np.minimum(first, invert(second))
        case Combine.INTERSECT:
            return np.minimum(first, second)


def from_colour(
    pixels: Pixels,
    colour: Sequence[float],
    tolerance: float,
    distance: ColourDistance = ColourDistance.CHANNELS,
) -> Pixels:
    """1 where a picture has `colour`, at most `tolerance` off.

    What is transparent has no colour.

    Args:
        pixels: (height, width, 3 or 4).
        colour: Red, green and blue, 0..1.
        tolerance: The distance that is still the colour.
        distance: By channels: the most that red, green or blue is off, 0..1. Perceptual:
            `colour_distance`.
    """
    if distance is ColourDistance.PERCEPTUAL:
        off = colour_distance(pixels, colour)
    else:
        off = np.abs(pixels[..., :3] - np.asarray(colour, np.float32)).max(axis=-1)
    has = off <= np.float32(tolerance) + np.float32(1e-6)
    if pixels.shape[2] == 4:
        has &= pixels[..., 3] > 0
    return has.astype(np.float32)


def from_alpha(pixels: Pixels) -> Pixels:
    """1 where a picture is transparent, which is what there is to fill."""
    if pixels.shape[2] == 4:
        return invert(pixels[..., 3])
    return np.zeros(pixels.shape[:2], np.float32)


def parts(
    mask: Pixels, least_area: int = 1, most: int = 64, order: PartOrder = PartOrder.LARGEST
) -> list[Pixels]:
    """The parts of a mask that touch each other nowhere, each as a mask of its own.

    Pixels above 0 that touch by a side or a corner belong together (8-connected components,
    `cv2.connectedComponentsWithStats`); they keep their values.

    Args:
        mask: (height, width), 0..1.
        least_area: Pixels; smaller parts are left out.
        most: How many; the first of `order` are given.
        order: By area, or by the left or upper edge; what is alike, from above, then from the
            left.

    Returns:
        Masks of the same size; none where nothing is masked.
    """
    inside = (mask > 0).astype(np.uint8)
    _, labels, facts, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    key = {
        PartOrder.LARGEST: -facts[:, cv2.CC_STAT_AREA],
        PartOrder.LEFT: facts[:, cv2.CC_STAT_LEFT],
        PartOrder.TOP: facts[:, cv2.CC_STAT_TOP],
    }[order]
    left, top = facts[:, cv2.CC_STAT_LEFT], facts[:, cv2.CC_STAT_TOP]
    placed = np.lexsort((left, top, key))
    kept = (i for i in placed if i and facts[i, cv2.CC_STAT_AREA] >= least_area)
    return [np.where(labels == i, mask, np.float32(0)) for i in islice(kept, most)]


def padded_box(mask: Pixels, padding: int) -> Box:
    """The rectangle around what is masked and `padding` pixels more, cut off by the picture.

    Around an empty mask it is the whole picture.
    """
    height, width = mask.shape
    whole = Box(0, 0, width, height)
    box = bounding_box(mask)
    if box is None:
        return whole
    wide = Box(
        box.left - padding, box.top - padding, box.width + 2 * padding, box.height + 2 * padding
    )
    return wide.overlap(whole) or whole


def bounding_box(mask: Pixels) -> Box | None:
    """The smallest rectangle around all that is above 0; None where nothing is."""
    masked = mask > 0
    rows, columns = np.flatnonzero(masked.any(axis=1)), np.flatnonzero(masked.any(axis=0))
    if not rows.size:
        return None
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
