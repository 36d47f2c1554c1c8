"""The generation box: the rectangle of the canvas that a model sees.

The automatic box follows krita-ai-diffusion's rule as far as it is fact, with its pixels of
512-pixel models as shares of the model's own side.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nodeforge.canvas.errors import LONGEST_SIDE
from nodeforge.errors import RequestError
from nodeforge.imaging import Box, bounding_box, context_box

Size = tuple[int, int]
"""Width and height of the canvas, pixels."""


class BoxError(RequestError):
    """A generation box with which nothing can be generated."""


def clamped(box: Box, canvas: Size) -> Box:
    """`box` moved into the canvas; smaller only where it is larger than the canvas."""
    width, height = (max(1, min(side, most)) for side, most in zip(box[2:], canvas, strict=True))
    left = min(max(box.left, 0), canvas[0] - width)
    top = min(max(box.top, 0), canvas[1] - height)
    return Box(left, top, width, height)


def snapped(box: Box, multiple: int, canvas: Size) -> Box:
    """`box` grown around its middle to sides that `multiple` divides, within the canvas.

    A canvas that is no such multiple is taken whole where the box would not fit otherwise.
    """
    spans = [
        _snapped(start, length, multiple, most)
        for start, length, most in zip(box[:2], box[2:], canvas, strict=True)
    ]
    (left, width), (top, height) = spans
    return clamped(Box(left, top, width, height), canvas)


def _snapped(start: int, length: int, multiple: int, most: int) -> tuple[int, int]:
    wanted = min(math.ceil(max(length, 1) / multiple) * multiple, max(most, 1))
    return start - (wanted - length) // 2, wanted


def auto_box(
    mask: NDArray[np.uint8],
    canvas: Size,
    strength: float,
    side: int,
    multiple: int,
    origin: tuple[int, int] = (0, 0),
) -> Box:
    """The box that suits a mask: the mask, room for its soft edge, and what gives it context.

    What is new (strength 1) is seen with half the mask's mean side around it, at least a
    sixteenth of the canvas, in at least as many pixels as the model was trained on. What is
    only changed is context enough for itself.

    Args:
        mask: (height, width), 0 where nothing may change; of the whole canvas, or of the part
            of it at `origin`.
        canvas: Width and height of the canvas, pixels.
        strength: Denoise strength, 0..1.
        side: Side of the squares the model was trained on, pixels.
        multiple: What the model's sizes are multiples of, pixels.
        origin: Where `mask` lies on the canvas.

    Returns:
        Inside the canvas; all of it where the mask is empty.
    """
    found = bounding_box(np.asarray(mask, np.float32))
    if found is None:
        return Box(0, 0, *canvas)
    found = Box(found.left + origin[0], found.top + origin[1], found.width, found.height)
    diagonal = math.hypot(found.width, found.height)
    edge = max(0.10 * strength * diagonal, strength * side / 16)
    pad = math.ceil(edge + side / 128 + 0.06 * diagonal)
    around = Box(found.left - pad, found.top - pad, found.width + 2 * pad, found.height + 2 * pad)
    inside = clamped(around, canvas)
    context, least = (0.5, side) if strength >= 1 else (0.0, side // 2)
    return snapped(context_box(inside, canvas, context, least), multiple, canvas)


def expanded(canvas: Size, left: int, top: int, right: int, bottom: int, side: int) -> Box:
    """The box for adding pixels at the sides of a picture: what is new, and context beside it.

    All of the picture where two opposite or neighbouring sides grow; else as much of it as a
    model sees at once.

    Args:
        canvas: Width and height of the canvas, pixels.
        left, top, right, bottom: Pixels to add.
        side: Side of the squares the model was trained on, pixels.
    """
    width, height = canvas
    whole = Box(-left, -top, left + width + right, top + height + bottom)
    added = [pixels for pixels in (left, top, right, bottom) if pixels]
    if len(added) != 1:
        return whole
    across = bool(left or right)
    length = min(whole.width if across else whole.height, max(added[0] + side // 2, side))
    if across:
        start = -left if left else width + right - length
        return Box(start, whole.top, length, whole.height)
    start = -top if top else height + bottom - length
    return Box(whole.left, start, whole.width, length)


def check_box(box: Box, canvas: Size, multiple: int, *, expands: bool = False) -> None:
    """Raise `BoxError` unless the box lies on the canvas and holds a cell of the latent.

    Args:
        box: The box.
        canvas: Width and height of the canvas, pixels.
        multiple: What the model's sizes are multiples of, pixels.
        expands: It may reach beyond the canvas, which grows; a part of it must lie on it.
    """
    whole = Box(0, 0, *canvas)
    if expands and box.overlap(whole) is None:
        raise BoxError(
            "the box lies beside the picture, so there is nothing to go on from.",
            way_out="Let it overlap the picture.",
        )
    grown = whole.around(box)
    if expands and max(grown.width, grown.height) > LONGEST_SIDE:
        raise BoxError(
            f"the picture would become {grown.width} × {grown.height} pixels; a side may have "
            f"{LONGEST_SIDE}.",
            way_out="Make the box smaller.",
        )
    if not expands and clamped(box, canvas) != box:
        raise BoxError(
            f"the box at {box.left}, {box.top} of {box.width} × {box.height} pixels does not lie "
            f"on the canvas of {canvas[0]} × {canvas[1]}.",
            way_out="Move the box onto the canvas, or choose 'expand', which lets it grow.",
        )
    if min(box.width, box.height) < multiple:
        raise BoxError(
            f"the box is {box.width} × {box.height} pixels; the model works in pieces of "
            f"{multiple} × {multiple}.",
            way_out=f"Make the box at least {multiple} pixels wide and high.",
        )
