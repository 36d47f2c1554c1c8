"""Matches a generated picture's colours to its surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from nodeforge.imaging.arrays import Pixels, check_same_size

_LARGEST_DRIFT = np.float32(0.12)
"""A larger difference is something else that was painted, no drift of colour."""


def match_surroundings(
    pixels: Pixels, reference: Pixels, mask: Pixels, strength: float = 1.0
) -> Pixels:
    """`pixels` without the drift of colour that it shows around the mask.

    A model brings back what it should keep a little brighter or bluer, and differently from
    place to place. The difference is measured around the mask and spread into it by
    pull-push (Gortler et al. 1996), so that the edge fits on every side while contrast inside
    stays as it was painted. Alpha stays.

    Args:
        pixels: (height, width, 3 or 4), what was generated.
        reference: What is around the mask, of the same size; where it is not opaque it tells
            nothing.
        mask: (height, width), of the same size.
        strength: 0 leaves `pixels` alone.

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(pixels, reference)
    check_same_size(pixels, mask)
    known = mask <= 0
    if reference.shape[2] == 4:
        known &= reference[..., 3] >= 1
    if strength == 0 or not known.any():
        return pixels.copy()
    drift = reference[..., :3] - pixels[..., :3]
    size = np.abs(drift).max(axis=2)
    trust = known * np.exp(-np.square(size / _LARGEST_DRIFT)).astype(np.float32)
    out = pixels.copy()
    spread = _spread(np.ascontiguousarray(drift, np.float32), trust)
    out[..., :3] = np.clip(out[..., :3] + spread * np.float32(strength), 0, 1)
    return out


def _spread(values: Pixels, weights: Pixels) -> Pixels:
    """`values` where `weights` is 1; where it is 0, what coarser and coarser means say."""
    height, width = weights.shape
    size = (width + 1) // 2, (height + 1) // 2
    if size == (width, height):
        return values * (weights > 0)[..., None]
    pulled = _halved(weights, size)
    total = _halved(values * weights[..., None], size)
    told = np.broadcast_to(pulled[..., None] > 1e-9, total.shape)
    means = np.divide(total, pulled[..., None], out=np.zeros_like(total), where=told)
    coarse = _spread(means, np.minimum(2 * pulled, 1))
    pushed = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    share = weights[..., None]
    return np.asarray(values * share + pushed * (1 - share), np.float32)


def _halved(values: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
