"""Sizes and places of pictures."""

from typing import Annotated, NamedTuple

import numpy as np
import torch

from nodeforge import imaging
from nodeforge.api import Image, Mask, Range, node

from .arrays import image_of, mapped


@node("image.resize", title="Resize image")
def resize(
    image: Image,
    width: Annotated[int, Range(0, 16384)] = 512,
    height: Annotated[int, Range(0, 16384)] = 512,
    fit: imaging.Fit = imaging.Fit.STRETCH,
    method: imaging.Method = imaging.Method.LANCZOS,
) -> Image:
    """Resize pictures.

    Args:
        image: The pictures.
        width: Pixels; 0 follows from the height.
        height: Pixels; 0 follows from the width.
        fit: What to do where the proportions differ.
        method: Interpolation.
    """
    size = imaging.in_proportion((image.width, image.height), width, height)
    return mapped(lambda pixels: imaging.resize_to(pixels, *size, fit, method), image)


@node("image.resize_like", title="Resize to match")
def resize_like(
    image: Image,
    like: Image,
    fit: imaging.Fit = imaging.Fit.STRETCH,
    method: imaging.Method = imaging.Method.LANCZOS,
) -> Image:
    """Resize pictures to the size of another one.

    Args:
        image: The pictures.
        like: Whose width and height they get.
        fit: What to do where the proportions differ.
        method: Interpolation.
    """
    if (image.width, image.height) == (like.width, like.height):
        return image
    size = (like.width, like.height)
    return mapped(lambda pixels: imaging.resize_to(pixels, *size, fit, method), image)


@node("image.undo_shift", title="Undo shift")
def undo_shift(image: Image, like: Image, most: Annotated[int, Range(1, 64)] = 16) -> Image:
    """Move pictures back that an edit has moved by a few pixels.

    A picture that is not moved, or that no shift brings nearer, stays as it is.

    Args:
        image: What was made, of the size of `like`.
        like: The picture that was edited.
        most: Pixels; a larger shift is none.
    """
    return mapped(
        lambda made, old: imaging.moved_back(made, imaging.picture_shift(old, made, most)),
        image,
        like,
    )


@node("image.scale_by", title="Scale image by factor")
def scale_by(
    image: Image,
    factor: Annotated[float, Range(0.01, 16.0, step=0.25)] = 2.0,
    multiple: Annotated[int, Range(1, 256)] = 8,
    method: imaging.Method = imaging.Method.LANCZOS,
) -> Image:
    """Resize pictures by a factor.

    Args:
        image: The pictures.
        factor: Times their width and height.
        multiple: What divides the new width and height; models need 8 or 16.
        method: Interpolation.
    """
    sides = (image.width, image.height)
    width, height = (max(1, round(side * factor / multiple)) * multiple for side in sides)
    return mapped(lambda pixels: imaging.resize(pixels, width, height, method), image)


@node("image.crop", title="Crop image")
def crop(
    image: Image,
    left: Annotated[int, Range(-16384, 16384)] = 0,
    top: Annotated[int, Range(-16384, 16384)] = 0,
    width: Annotated[int, Range(1, 16384)] = 512,
    height: Annotated[int, Range(1, 16384)] = 512,
) -> Image:
    """Crop pictures to a rectangle; black, or transparent, where it lies outside of them.

    Args:
        image: The pictures.
        left: Where it starts, pixels from the left.
        top: Where it starts, pixels from above.
        width: Pixels.
        height: Pixels.
    """
    return mapped(lambda pixels: imaging.crop(pixels, left, top, width, height), image)


class Padded(NamedTuple):
    """A picture with a margin."""

    image: Image
    mask: Mask


@node("image.pad", title="Pad image")
def pad(
    image: Image,
    left: Annotated[int, Range(0, 8192)] = 0,
    top: Annotated[int, Range(0, 8192)] = 0,
    right: Annotated[int, Range(0, 8192)] = 0,
    bottom: Annotated[int, Range(0, 8192)] = 0,
    edge: imaging.Edge = imaging.Edge.REPEAT,
    colour: str = "#808080",
) -> Padded:
    """Put a margin around pictures, to paint beyond their borders.

    Args:
        image: The pictures.
        left: Pixels.
        top: Pixels.
        right: Pixels.
        bottom: Pixels.
        edge: What the margin shows.
        colour: Of the margin, as #rrggbb, if it shows one.

    Returns:
        image: The larger pictures.
        mask: The margin, which is what there is to fill.
    """
    sides = (left, top, right, bottom)
    fill = (*imaging.parse_colour(colour), 1.0)[: image.pixels.shape[3]]
    inner = np.zeros((image.height, image.width), np.float32)
    margin = imaging.pad(inner, *sides, imaging.Edge.COLOUR, (1.0,))
    padded = mapped(lambda pixels: imaging.pad(pixels, *sides, edge, fill), image)
    return Padded(padded, Mask(torch.from_numpy(margin[None])))


@node("image.grid", title="Image grid")
def grid(
    images: list[Image],
    columns: Annotated[int, Range(0, 100)] = 0,
    gap: Annotated[int, Range(0, 512)] = 8,
    colour: str = "#000000",
) -> Image:
    """Arrange pictures in a grid: all of every batch, in the order of the inputs.

    Args:
        images: The pictures, of any sizes.
        columns: Pictures in a row; 0 makes the grid about as wide as high.
        gap: Pixels between them.
        colour: Between and behind them, as #rrggbb.
    """
    pictures = [pixels for image in images for pixels in image.pixels.numpy()]
    made = imaging.grid(pictures, columns, gap, imaging.parse_colour(colour))
    return image_of(made[None])


class Size(NamedTuple):
    """The size of pictures."""

    width: int
    height: int
    count: int


@node("image.size", title="Image size")
def size(image: Image) -> Size:
    """Tell the size of pictures as numbers; only a run knows it.

    Args:
        image: The pictures.

    Returns:
        width: Their width in pixels.
        height: Their height in pixels.
        count: How many there are.
    """
    count, height, width, _ = image.pixels.shape
    return Size(width, height, count)
