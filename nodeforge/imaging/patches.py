"""Turns a generation into a transparent patch to composite over the original.

Two masks belong to a generation. The model may change a wider, softer one, so that what it
paints joins what surrounds it; what is shown of it ends inside the mask the person painted.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from nodeforge.imaging.arrays import Bytes, Pixels, check_same_size, with_alpha
from nodeforge.imaging.geometry import Method, resize
from nodeforge.imaging.masks import bounding_box, feather, grow
from nodeforge.imaging.surroundings import match_surroundings

_SHOWN = np.float32(0.25)
"""Where a mask is at least this, the new picture alone is seen: how much it differs there is
what the mask has told the model."""


def denoise_mask(mask: Pixels, strength: float, side: int) -> Pixels:
    """Where a model may change a picture: `mask` and a soft edge around it.

    Grown by half the edge and feathered by the other half, so it is at least `mask`. The edge
    is a tenth of the mask's diagonal or a sixteenth of the model's side, whichever is larger,
    times `strength`.

    Args:
        mask: (height, width), 0..1, as large as what the model sees.
        strength: Denoise strength, 0..1.
        side: Side of the squares the model was trained on, pixels.
    """
    box = bounding_box(mask)
    if box is None:
        return mask.copy()
    edge = strength * max(math.hypot(box.width, box.height) / 10, side / 16)
    half = round(edge / 2)
    wide = grow(mask, half + max(1, side // 128))
    return np.maximum(mask, feather(wide, half))


def shown(mask: Pixels, radius: int) -> Pixels:
    """How much of a new picture is seen: 0 exactly where `mask` is 0, rising inwards.

    Args:
        mask: (height, width), 0..1. At the picture's border it does not fade.
        radius: Pixels over which it rises; at most a third of what is masked, so that a small
            spot is seen too.
    """
    masked = mask > 0
    value = np.clip(mask / _SHOWN, 0, 1)
    if radius > 0 and masked.any() and not masked.all():
        value = value * _risen(masked, radius)
    return np.where(masked, value, 0).astype(np.float32)


def _risen(masked: np.ndarray, radius: int) -> Pixels:
    """From 0 outside of each masked spot to 1 inside, smoothly."""
    inside = masked.astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    count, spots = cv2.connectedComponents(inside)
    if count == 2:  # one spot: looking the others up takes longer than all the rest
        reach = np.float32(min(max(depth.max() / 3, 1), radius + 1))
    else:
        from scipy import ndimage  # only here: the window would start a sixth of a second later

        deepest = np.asarray(ndimage.maximum(depth, spots, range(count)), np.float32)
        reach = np.clip(deepest / 3, 1, radius + 1)[np.asarray(spots, np.intp)]
    share = np.clip(depth / reach, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def patch(
    original: Pixels, generated: Pixels, mask: Pixels, radius: int = 8, match: float = 1.0
) -> Pixels:
    """What to lay over `original`: the generated picture where the mask shows it, else nothing.

    Args:
        original: (height, width, 3 or 4), what the model was shown, before it was scaled.
        generated: What came of it, of any size.
        mask: (height, width) of the original.
        radius: Pixels of the original over which the patch fades in.
        match: 0..1, how far to take out the drift of colour that shows around the mask.

    Returns:
        float32, (height, width, 4), alpha not premultiplied, 0 exactly where `mask` is 0. What is
        masked and transparent in the original is covered at once: there is nothing to fade from.

    Raises:
        SizeMismatchError: the mask has not the original's size.
    """
    check_same_size(original, mask)
    height, width = mask.shape
    shrinks = width * height < generated.shape[0] * generated.shape[1]
    back = resize(generated, width, height, Method.AREA if shrinks else Method.LANCZOS)
    out = with_alpha(match_surroundings(back, original, mask, match)).copy()
    seen = shown(mask, radius)
    if original.shape[2] == 4:
        seen = np.where(mask > 0, np.maximum(seen, 1 - original[..., 3]), 0)
    out[..., 3] *= seen
    return out


def layer_patch(layer: Pixels, mask: Pixels) -> Pixels:
    """A layer in the size of a mask, transparent where the mask is 0.

    Args:
        layer: (height, width, 3 or 4), of any size, alpha not premultiplied.
        mask: (height, width); whatever is not 0 shows the layer as it is.

    Returns:
        float32, (height, width, 4) of the mask, alpha not premultiplied.
    """
    height, width = mask.shape
    shrinks = width * height < layer.shape[0] * layer.shape[1]
    method = Method.AREA if shrinks else Method.LANCZOS
    out = with_alpha(resize(layer, width, height, method))
    out[..., 3] *= mask > 0
    return out


def apply(original: Bytes, over: Bytes) -> Bytes:
    """`over` on `original`; every byte stays where `over` is transparent.

    Args:
        original: uint8, (height, width, 3 or 4), alpha not premultiplied.
        over: uint8, (height, width, 4), alpha not premultiplied.

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(original, over)
    top = over[..., 3:].astype(np.float32) / 255
    below = original[..., 3:] if original.shape[2] == 4 else np.full_like(over[..., 3:], 255)
    bottom = below.astype(np.float32) / 255 * (1 - top)
    alpha = top + bottom
    colours = over[..., :3] * top + original[..., :3] * bottom
    colours = np.divide(colours, alpha, out=np.zeros_like(colours), where=alpha > 0)
    blended = np.concatenate([colours, alpha * 255], axis=-1)[..., : original.shape[2]]
    blended = np.rint(np.clip(blended, 0, 255)).astype(np.uint8)
    return np.where(over[..., 3:] == 0, original, blended)
