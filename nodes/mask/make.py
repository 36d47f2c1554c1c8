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
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


def _read(pixels: imaging.Pixels, channel: Channel) -> imaging.Pixels:
    match channel:
        case Channel.BRIGHTNESS:
            return imaging.luminance(pixels)
        case Channel.TRANSPARENCY:
            return imaging.from_alpha(pixels)
    return imaging.channel(pixels, imaging.Channel(channel.value))


@node("mask.load", version=2, title="Load mask")
def load(
    file: Annotated[Path, File("mask")],
    channel: Channel = Channel.BRIGHTNESS,
) -> Mask:
    """Read a mask from a picture file.

    Args:
        file: The picture.
        channel: White is 1, or transparent is 1, or red, green or blue.
    """
    return Mask(torch.from_numpy(_read(imaging.decode(file).pixels, channel)[None]))


@node("mask.from_channel", title="Mask from channel")
def from_channel(image: Image, channel: imaging.Channel = imaging.Channel.LUMINANCE) -> Mask:
    """Make a mask of a channel of pictures, as of a grey one.

    Args:
        image: The pictures.
        channel: What becomes the mask. Alpha is 1 where a picture is opaque; *Mask from
            transparency* is the other way round.
    """
    return Mask(mapped(lambda pixels: imaging.channel(pixels, channel), image))


@node("mask.from_colour", version=2, title="Mask from colour")
def from_colour(
    image: Image,
    colour: str = "#ffffff",
    tolerance: Annotated[float, Range(0.0, 1.0, step=0.01)] = 0.05,
    distance: imaging.ColourDistance = imaging.ColourDistance.CHANNELS,
) -> Mask:
    """Mask the area of a colour.

    Args:
        image: The pictures.
        colour: As #rrggbb.
        tolerance: The distance that still counts as the colour.
        distance: By channels, how far red, green and blue may each be off. Perceptual, how
            different colours look (CIE Lab, 1976): black and white are 1 apart, and 0.023 is
            just seen.
    """
    wanted = imaging.parse_colour(colour)
    return Mask(
        mapped(lambda pixels: imaging.from_colour(pixels, wanted, tolerance, distance), image)
    )


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
