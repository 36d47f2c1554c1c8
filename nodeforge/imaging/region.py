"""Crops around a mask to a size a model likes, and puts the result back.

The context rule is that of krita-ai-diffusion, as far as it is fact: half the mask's mean
side, at least a sixteenth of the picture's longest; what leaves the picture is shifted back
before it is cut.
"""

from __future__ import annotations

import math

import numpy as np

from nodeforge.imaging.arrays import Pixels, check_same_size, with_alpha
from nodeforge.imaging.blend import composite
from nodeforge.imaging.geometry import Method, crop, crop_repeating, resize
from nodeforge.imaging.masks import Box, feather_inside
from nodeforge.imaging.surroundings import match_surroundings
from nodeforge.values import Region

_LONGEST_SHAPE = 1.5
"""How many times as long as wide a region is made at most, where the picture has room."""


def crop_region(
    box: Box | None,
    image_size: tuple[int, int],
    context: float,
    model_multiple: int,
    model_size: int,
) -> Region:
    """The rectangle around a mask that a model should see.

    Args:
        box: Around the mask, within the picture; None takes the whole picture.
        image_size: Width and height of the picture, pixels.
        context: What to see around the mask on each side, as a share of its mean side; at
            least an eighth of that share of the picture's longest side.
        model_multiple: What the model's width and height must be divisible by, pixels.
        model_size: Side of the squares the model was trained on, pixels. The region is
            brought to as many pixels; it is at least half as wide and high where the picture
            is.

    Returns:
        A region inside the picture that holds all of `box`.
    """
    box = box or Box(0, 0, *image_size)
    around = context_box(box, image_size, context, model_size // 2)
    scaled = model_pixels(around.width, around.height, model_multiple, model_size)
    return Region(*around, *scaled)


def context_box(box: Box, image_size: tuple[int, int], context: float, least: int) -> Box:
    """`box` with what a model should see around it, inside the picture: shifted, then cut.

    Args:
        box: Within the picture.
        image_size: Width and height of the picture, pixels.
        context: As `crop_region` takes it.
        least: Width and height at least, pixels, where the picture has room.
    """
    margin = math.ceil(context * max((box.width + box.height) / 2, max(image_size) / 8))
    width, height = (side + 2 * margin for side in (box.width, box.height))
    least = max(least, math.ceil(max(width, height) / _LONGEST_SHAPE))
    left, width = _span(box.left, box.width, max(width, least), image_size[0])
    top, height = _span(box.top, box.height, max(height, least), image_size[1])
    return Box(left, top, width, height)


def _span(start: int, length: int, wanted: int, limit: int) -> tuple[int, int]:
    """Start and length of `wanted` pixels around a stretch: shifted, then cut, to fit `limit`."""
    wanted = min(wanted, limit)
    centred = start + (length - wanted) // 2
    return min(max(centred, 0), limit - wanted), wanted


def model_pixels(width: int, height: int, multiple: int, size: int) -> tuple[int, int]:
    """The same shape with about `size` x `size` pixels, both sides a multiple."""
    scale = size / math.sqrt(width * height)
    sides = (max(1, round(side * scale / multiple)) * multiple for side in (width, height))
    scaled_width, scaled_height = sides
    return scaled_width, scaled_height


def cut_out(pixels: Pixels, region: Region) -> Pixels:
    """What a picture shows in `region`, in the region's scaled size."""
    cut = crop_repeating(pixels, region.left, region.top, region.width, region.height)
    return _to(cut, region.scaled_width, region.scaled_height)


def cut_out_mask(mask: Pixels, region: Region) -> Pixels:
    """`mask` in `region`, scaled; nothing outside of the picture is masked."""
    cut = crop(mask, region.left, region.top, region.width, region.height)
    return resize(cut, region.scaled_width, region.scaled_height, Method.BILINEAR)


def put_back(
    original: Pixels,
    generated: Pixels,
    mask: Pixels,
    region: Region,
    feather: int = 8,
    match: float = 0.0,
) -> Pixels:
    """`original` with `generated` in `region`, only where `mask` allows.

    Every pixel where `mask` is 0 keeps its bits. Inside, the edge fades over `feather` pixels,
    but where the original is transparent: there is nothing to fade to.

    Args:
        original: (height, width, 3 or 4), the whole picture.
        generated: A picture of what `cut_out` gave; brought back from any size.
        mask: (height, width), of the whole picture.
        region: Where `generated` was cut out.
        feather: Pixels of the original.
        match: 0..1, how far to take out the drift of colour that `generated` shows where `mask`
            is 0.

    Raises:
        SizeMismatchError: the mask has another size than the original.
    """
    check_same_size(original, mask)
    patch = _to(generated, region.width, region.height)
    place = (region.left, region.top, region.width, region.height)
    if match:
        there = crop_repeating(original, *place)
        patch = match_surroundings(patch, there, crop(mask, *place), match)
    patch = with_alpha(patch)[..., : original.shape[2]]
    rows = _inside(region.top, region.height, original.shape[0])
    columns = _inside(region.left, region.width, original.shape[1])
    below, allowed = original[rows, columns], mask[rows, columns]
    over = patch[_shifted(rows, region.top), _shifted(columns, region.left)]
    weight = feather_inside(allowed, feather)
    if original.shape[2] == 4:
        weight = np.asarray(weight + (allowed - weight) * (1 - below[..., 3]), np.float32)
    out = original.copy()
    out[rows, columns] = composite(below, over, weight)
    return out


def _inside(start: int, length: int, limit: int) -> slice:
    """The part of a stretch that lies in 0..limit."""
    return slice(min(max(start, 0), limit), min(max(start + length, 0), limit))


def _shifted(part: slice, by: int) -> slice:
    return slice(part.start - by, part.stop - by)


def _to(pixels: Pixels, width: int, height: int) -> Pixels:
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    return resize(pixels, width, height, Method.AREA if shrinks else Method.LANCZOS)
