"""What the canvas gives to a workflow. The window sets the files; without it they are pictures."""

from pathlib import Path
from typing import Annotated, NamedTuple

import torch

from nodeforge import imaging
from nodeforge.api import File, Image, Mask, Range, node


class Shown(NamedTuple):
    """What the canvas shows in the box."""

    image: Image
    empty: Mask


@node("canvas.image", title="Canvas image")
def image(file: Annotated[Path, File("image")]) -> Shown:
    """Load the canvas's pixels in the generation box.

    Args:
        file: The pixels; the canvas sets it.

    Returns:
        image: The pixels, with alpha where the canvas is transparent somewhere.
        empty: Where it is transparent.
    """
    pixels = imaging.decode(file).pixels
    empty = imaging.from_alpha(pixels)
    return Shown(Image(torch.from_numpy(pixels[None])), Mask(torch.from_numpy(empty[None])))


@node("canvas.mask", title="Canvas mask")
def mask(
    file: Annotated[Path, File("mask")],
    strength: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Mask:
    """Load the canvas's mask in the generation box.

    Args:
        file: White may change, grey in that share of the steps; the canvas sets it.
        strength: Makes the whole mask weaker.
    """
    values = imaging.luminance(imaging.decode(file).pixels) * strength
    return Mask(torch.from_numpy(values[None]))
