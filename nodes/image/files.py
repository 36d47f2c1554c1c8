"""Pictures from files, into files, and before one's eyes."""

from pathlib import Path
from typing import Annotated, NamedTuple

import torch

from nodeforge import imaging
from nodeforge.api import File, Image, Mask, Range, RunContext, Saves, node

from .arrays import image_of


class Compared(NamedTuple):
    """Two pictures, of which the window shows one beside the other."""

    after: Image
    before: Image


class Loaded(NamedTuple):
    """A picture and what it leaves open."""

    image: Image
    mask: Mask


@node("image.load", version=2, title="Load image")
def load(file: Annotated[Path, File("image")]) -> Loaded:
    """Load a picture from a file, with EXIF orientation applied and converted to sRGB.

    Args:
        file: PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF.

    Returns:
        image: The picture, with alpha where it is transparent somewhere.
        mask: The transparency, 1 where it is transparent.
    """
    pixels = imaging.decode(file).pixels
    mask = imaging.from_alpha(pixels)
    return Loaded(image_of(pixels[None]), Mask(torch.from_numpy(mask[None])))


_SAVES = Saves("image", {each.value: each.suffix for each in imaging.PictureFormat}, per_item=True)


@node("image.save", title="Save image", effects=True, saves=_SAVES)
def save(
    run: RunContext,
    image: Image,
    prefix: str = "nodeforge",
    format: imaging.PictureFormat = imaging.PictureFormat.PNG,
    quality: Annotated[int, Range(1, 100)] = 95,
) -> None:
    """Save every picture of a batch as a new file, with the workflow inside.

    Args:
        image: The pictures.
        prefix: What the files' names start with; a number follows. May name a subfolder, and
            hold {date}, {time}, {prompt}, {seed}, {model}, {sampler}, {schedule}, {steps},
            {scale}, {width} and {height}.
        format: PNG keeps every pixel; JPEG and WebP are smaller.
        quality: Of JPEG and WebP; WebP loses nothing at 100.
    """
    parameters = run.stamp.get("parameters", "")
    for index, pixels in enumerate(image.pixels.numpy()):
        run.check()
        height, width = pixels.shape[:2]
        name = imaging.output_name(prefix, parameters, (width, height), index)
        folder, stem = imaging.output_place(run.outputs, name)
        data = imaging.encode(pixels, format, imaging.item_stamp(run.stamp, index), quality)
        run.saved(imaging.write_new(folder, f"{stem}_{{}}{format.suffix}", data))


@node("image.compare", shows=True, title="Compare images")
def compare(before: Image, after: Image) -> Compared:
    """Show two pictures on the node, one left and one right of the mouse, and pass them on.

    Args:
        before: The picture on the left, such as one that was edited.
        after: The picture on the right, such as what was made of it.

    Returns:
        after: The picture on the right.
        before: The picture on the left.
    """
    return Compared(after, before)


@node("image.preview", shows=True, title="Preview image")
def preview(image: Image) -> Image:
    """Show pictures on the node, and pass them on.

    Args:
        image: The pictures.
    """
    return image
