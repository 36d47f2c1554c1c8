"""Masks from files, colours and transparency."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch

from nodeforge import imaging
from nodeforge.api import File, Image, Mask, Range, node

from .arrays import mapped


class Channel(StrEnum):
    """What of a picture file is a mask."""

    BRIGHTNESS = "brightness"
    TRANSPARENCY = "transparency"


@node("mask.load", version=2, title="Load mask")
def load(
    file: Annotated[Path, File("mask")],
    channel: Channel = Channel.BRIGHTNESS,
) -> Mask:
    """Read a mask from a picture file.

    Args:
        file: The picture.
        channel: White is 1, or transparent is 1.
    """
    pixels = imaging.decode(file).pixels
    read = imaging.luminance if channel is Channel.BRIGHTNESS else imaging.from_alpha
    return Mask(torch.from_numpy(read(pixels)[None]))


@node("mask.from_colour", version=2, title="Mask from colour")
def from_colour(
    image: Image,
    colour: str = "#ffffff",
    tolerance: Annotated[float, Range(0.0, 1.0, step=0.01)] = 0.05,
) -> Mask:
    """Mask the area of a colour.

    Args:
        image: The pictures.
        colour: As #rrggbb.
        tolerance: How far red, green and blue may each be off.
    """
    wanted = imaging.parse_colour(colour)
    return Mask(mapped(lambda pixels: imaging.from_colour(pixels, wanted, tolerance), image))


@node("mask.difference", title="Mask what changed")
def difference(
    before: Image,
    after: Image,
    threshold: Annotated[float | None, Range(0.0, 1.0, step=0.01, auto=True)] = None,
    grow: Annotated[int, Range(0, 256)] = 4,
    feather: Annotated[int, Range(0, 256)] = 4,
) -> Mask:
    """Mask what an edit changed, so that 'Composite images' keeps all else bit for bit.

    Edit models shift colours and details a little everywhere; that is left out.

    Args:
        before: The picture that was edited.
        after: What was made of it, of the same size.
        threshold: How far apart what changed lies at least; empty finds it.
        grow: Pixels by which the mask is larger than what changed.
        feather: Pixels of its soft edge.
    """
    return Mask(
        mapped(
            lambda first, second: imaging.difference_mask(first, second, threshold, grow, feather),
            before,
            after,
        )
    )


@node("mask.from_alpha", title="Mask from transparency")
def from_alpha(image: Image) -> Mask:
    """Mask the transparent area.

    Args:
        image: The pictures; without transparency the mask is empty.
    """
    return Mask(mapped(imaging.from_alpha, image))


@node("mask.to_image", title="Mask to image")
def to_image(mask: Mask) -> Image:
    """Make a grey picture of a mask, white where it is 1.

    Args:
        mask: The mask.
    """
    return Image(mask.values[..., None].repeat(1, 1, 1, 3))
