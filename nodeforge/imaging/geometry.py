"""Resize, crop, pad, grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from PIL import Image

from nodeforge.imaging.arrays import Bytes, Pixels, with_alpha
from nodeforge.values import SizeMismatchError


class Method(StrEnum):
    """How pixels between pixels are made; all but `NEAREST` average when a picture shrinks."""

    LANCZOS = "lanczos"
    BICUBIC = "bicubic"
    BILINEAR = "bilinear"
    AREA = "area"
    NEAREST = "nearest"


class Fit(StrEnum):
    """How a picture gets a size of other proportions."""

    STRETCH = "stretch"
    CROP = "crop"
    PAD = "pad"


class Edge(StrEnum):
    """What lies outside of a picture."""

    COLOUR = "colour"
    REPEAT = "repeat"
    MIRROR = "mirror"


_PILLOW = {
    Method.LANCZOS: Image.Resampling.LANCZOS,
    Method.BICUBIC: Image.Resampling.BICUBIC,
    Method.BILINEAR: Image.Resampling.BILINEAR,
    Method.AREA: Image.Resampling.BOX,
    Method.NEAREST: Image.Resampling.NEAREST,
}


def resize(pixels: Pixels, width: int, height: int, method: Method = Method.LANCZOS) -> Pixels:
    """`pixels` or a mask in another size; the same bits where the size stays.

    Colours are weighed by their alpha, so that what is invisible does not bleed.
    """
    if pixels.shape[:2] == (height, width):
        return pixels.copy()
    if pixels.ndim == 2:
        return np.clip(_plane(pixels, width, height, method), 0, 1)
    if pixels.shape[2] == 4 and method is not Method.NEAREST:
        return _resize_with_alpha(pixels, width, height, method)
    planes = [_plane(pixels[..., i], width, height, method) for i in range(pixels.shape[2])]
    return np.clip(np.stack(planes, axis=-1), 0, 1)


def _resize_with_alpha(pixels: Pixels, width: int, height: int, method: Method) -> Pixels:
    alpha = resize(pixels[..., 3], width, height, method)[..., None]
    weighed = resize(pixels[..., :3] * pixels[..., 3:], width, height, method)
    colours = np.divide(weighed, alpha, out=np.zeros_like(weighed), where=alpha > 0)
    return np.concatenate([np.clip(colours, 0, 1), alpha], axis=-1)


def _plane(plane: Pixels, width: int, height: int, method: Method) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize((width, height), _PILLOW[method]))


def crop_to_multiple(pixels: Pixels, multiple: int) -> Pixels:
    """The middle of a picture or mask, whose sides `multiple` divides.

    Of an odd number of rows or columns too many, one more goes at the bottom or right.

    Raises:
        SizeMismatchError: a side is smaller than `multiple`.
    """
    height, width = pixels.shape[:2]
    tall, wide = (side // multiple * multiple for side in (height, width))
    if not tall or not wide:
        raise SizeMismatchError(
            f"the picture is {width} × {height} pixels, smaller than {multiple} × {multiple}.",
            way_out="Use a larger picture.",
        )
    top, left = (height - tall) // 2, (width - wide) // 2
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])


def resize_part(
    pixels: Bytes, box: tuple[float, float, float, float], width: int, height: int, method: Method
) -> Bytes:
    """The part of a picture in a size: premultiplied RGBA of 8 bits, or a mask.

    Args:
        box: Left, top, right and bottom of the part, between pixels too; within the picture.
            What lies around it counts, so that parts side by side join without a seam.
    """
    mode = "L" if pixels.ndim == 2 else "CMYK"  # RGBA would be taken for straight alpha
    size, content = (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels)
    image = Image.frombuffer(mode, size, content, "raw", mode, 0, 1)
    made = np.asarray(image.resize((width, height), _PILLOW[method], box))
    return made if made.ndim == 2 else np.minimum(made, made[..., 3:])


def in_proportion(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """Width and height, where one that is 0 follows from the other and from `size`'s shape."""
    if width and height:
        return width, height
    if width:
        return width, max(1, round(size[1] * width / size[0]))
    if height:
        return max(1, round(size[0] * height / size[1])), height
    return size


def resize_to(
    pixels: Pixels, width: int, height: int, fit: Fit, method: Method = Method.LANCZOS
) -> Pixels:
    """`pixels` in exactly this size: stretched, or in proportion and cropped or padded.

    Padding is transparent where `pixels` has alpha, black where it has none.
    """
    if fit is Fit.STRETCH:
        return resize(pixels, width, height, method)
    choose = max if fit is Fit.CROP else min
    scale = choose(width / pixels.shape[1], height / pixels.shape[0])
    inner = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    scaled = resize(pixels, *inner, method)
    return crop(scaled, (inner[0] - width) // 2, (inner[1] - height) // 2, width, height)


def crop(pixels: Pixels, left: int, top: int, width: int, height: int) -> Pixels:
    """A rectangle of `pixels` or of a mask; zeros where it lies outside."""
    return _window(pixels, left, top, width, height, Edge.COLOUR, ())


def crop_repeating(pixels: Pixels, left: int, top: int, width: int, height: int) -> Pixels:
    """A rectangle of `pixels`; the nearest pixel where it lies outside."""
    return _window(pixels, left, top, width, height, Edge.REPEAT, ())


def pad(
    pixels: Pixels,
    left: int,
    top: int,
    right: int,
    bottom: int,
    edge: Edge = Edge.COLOUR,
    colour: Sequence[float] = (),
) -> Pixels:
    """`pixels` with a margin, of 0 or more pixels on each side.

    Args:
        edge: What the margin shows.
        colour: 0..1 for each channel, for `Edge.COLOUR`; zeros where it is empty.
    """
    height, width = pixels.shape[:2]
    return _window(pixels, -left, -top, width + left + right, height + top + bottom, edge, colour)


def _window(
    pixels: Pixels,
    left: int,
    top: int,
    width: int,
    height: int,
    edge: Edge,
    colour: Sequence[float],
) -> Pixels:
    full_height, full_width = pixels.shape[:2]
    x0, x1 = (min(max(x, 0), full_width) for x in (left, left + width))
    y0, y1 = (min(max(y, 0), full_height) for y in (top, top + height))
    if edge is Edge.COLOUR or x0 == x1 or y0 == y1:
        out = np.zeros((height, width, *pixels.shape[2:]), np.float32)
        if colour:
            out[...] = np.asarray(colour, np.float32)
        out[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
        return out
    rows = _indices(top, height, full_height, edge)
    columns = _indices(left, width, full_width, edge)
    return np.ascontiguousarray(pixels[rows][:, columns])


def _indices(start: int, count: int, size: int, edge: Edge) -> np.ndarray:
    """Which row or column is seen at each place of a window."""
    places = np.arange(start, start + count)
    if edge is Edge.REPEAT or size == 1:
        return places.clip(0, size - 1)
    period = 2 * (size - 1)
    places = places % period
    return np.where(places < size, places, period - places)


def grid(
    pictures: Sequence[Pixels], columns: int = 0, gap: int = 0, colour: Sequence[float] = (0, 0, 0)
) -> Pixels:
    """Pictures side by side, each centred in a cell of the largest's size.

    Args:
        columns: Pictures in a row; 0 makes the grid about as wide as high.
        gap: Pixels between cells.
        colour: RGB, 0..1, between and behind pictures without alpha.
    """
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width = (max(p.shape[axis] for p in pictures) for axis in (0, 1))
    alpha = any(p.shape[2] == 4 for p in pictures)
    size = (rows * (height + gap) - gap, columns * (width + gap) - gap, 4 if alpha else 3)
    out = np.zeros(size, np.float32)
    out[..., :3] = np.asarray(colour, np.float32)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top = row * (height + gap) + (height - picture.shape[0]) // 2
        left = column * (width + gap) + (width - picture.shape[1]) // 2
        cell = with_alpha(picture) if alpha else picture
        out[top : top + picture.shape[0], left : left + picture.shape[1]] = cell
    return out
