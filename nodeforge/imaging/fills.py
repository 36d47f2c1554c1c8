"""Fills a masked area before a model paints it: original, blurred, continued, neutral."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np

from nodeforge.imaging.arrays import Pixels, check_same_size, to_bytes, to_float
from nodeforge.imaging.blend import composite
from nodeforge.imaging.geometry import Method, resize
from nodeforge.imaging.masks import feather_inside

_NEUTRAL = np.float32(0.5)
_SMALL = 192
"""Longest side at which fills are made that are smooth anyway."""


class Fill(StrEnum):
    """What stands where a mask is."""

    ORIGINAL = "original"
    BLUR = "blur"
    CONTINUE = "continue"
    NEUTRAL = "neutral"
    NEUTRAL_HARD = "neutral, hard edge"


def fill(pixels: Pixels, mask: Pixels, how: Fill) -> Pixels:
    """`pixels` without alpha, with the masked area filled.

    Below one half a mask asks for a change and not for something new: there the original
    stays, and comes in gradually above. What is transparent has no original: it is filled
    whatever the mask says, by continuing its surroundings where `how` is the original.

    Args:
        pixels: (height, width, 3 or 4).
        mask: (height, width), 1 where all is to be new.
        how: What with: the original; its colours, strongly blurred; what surrounds it,
            continued inwards (Navier-Stokes: Bertalmio et al. 2001); or grey.

    Returns:
        float32, (height, width, 3).

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(pixels, mask)
    empty = _emptiness(pixels)
    colours = pixels[..., :3]
    if empty.any():
        known = how in (Fill.ORIGINAL, Fill.BLUR)
        below = _continued(colours, empty > 0) if known else np.full_like(colours, _NEUTRAL)
        colours = composite(colours, below, empty)
    weight = np.maximum(np.clip(2 * mask - 1, 0, 1), empty)
    match how:
        case Fill.ORIGINAL:
            return np.ascontiguousarray(colours)
        case Fill.BLUR:
            return composite(colours, _blurred(colours), _soft(weight))
        case Fill.CONTINUE:
            return composite(colours, _continued(colours, weight > 0), weight)
        case Fill.NEUTRAL:
            return composite(colours, np.full_like(colours, _NEUTRAL), _soft(weight))
        case Fill.NEUTRAL_HARD:
            return composite(colours, np.full_like(colours, _NEUTRAL), weight)


def _emptiness(pixels: Pixels) -> Pixels:
    if pixels.shape[2] == 4:
        return np.float32(1) - pixels[..., 3]
    return np.zeros(pixels.shape[:2], np.float32)


def _soft(weight: Pixels) -> Pixels:
    return feather_inside(weight, max(weight.shape) // 56)


def _blurred(colours: Pixels) -> Pixels:
    height, width = colours.shape[:2]
    small = resize(colours, *_small(width, height), Method.AREA)
    sigma = max(small.shape[:2]) / 16
    blurred = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return resize(np.asarray(blurred, np.float32), width, height, Method.BILINEAR)


def _small(width: int, height: int) -> tuple[int, int]:
    share = min(1.0, _SMALL / max(height, width))
    return max(1, round(width * share)), max(1, round(height * share))


def _continued(colours: Pixels, hole: np.ndarray) -> Pixels:
    """`colours` with the hole filled from its edge; grey where nothing is outside of it."""
    if hole.all():
        return np.full_like(colours, _NEUTRAL)
    height, width = hole.shape
    size = _small(width, height)
    covered = resize(hole.astype(np.float32), *size, Method.AREA) > 0
    if covered.all():
        return np.broadcast_to(colours[~hole].mean(axis=0), colours.shape).astype(np.float32)
    small = to_bytes(resize(colours, *size, Method.AREA))
    flow = cv2.inpaint(small, covered.astype(np.uint8), 3, cv2.INPAINT_NS)
    smooth = cv2.GaussianBlur(to_float(np.asarray(flow, np.uint8)), (0, 0), 2)
    return resize(np.asarray(smooth, np.float32), width, height, Method.BILINEAR)
