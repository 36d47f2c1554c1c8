"""Several pictures in one batch, and some of them out of it again."""

from typing import Annotated, NamedTuple

import torch

from nodeforge import imaging
from nodeforge.api import Image, Range, node

from .arrays import image_of


@node("image.batch", title="Batch images")
def batch(images: list[Image], sizes: imaging.BatchSizes = imaging.BatchSizes.EQUAL) -> Image:
    """Put pictures into one batch, in the order of the inputs; what is behind takes all at once.

    Behind a list, put *Collect* between.

    Args:
        images: The pictures; of a batch, all.
        sizes: What becomes of pictures of another size than the first: they are refused,
            stretched, or brought to it in proportion and cropped or padded.
    """
    return image_of(imaging.batched([each.pixels.numpy() for each in images], sizes))


@node("image.slice", title="Images from batch")
def slice_batch(
    image: Image,
    start: Annotated[int, Range(-4096, 4096)] = 0,
    count: Annotated[int, Range(0, 4096)] = 1,
) -> Image:
    """Take one picture out of a batch, or several that follow one another.

    To go through all of them, link *List of numbers* to `start`.

    Args:
        image: The batch.
        start: The first one, counted from 0; -1 is the last, -2 the one before.
        count: How many; 0 is all that follow.
    """
    return Image(torch.from_numpy(imaging.sliced(image.pixels.numpy(), start, count)).clone())


@node("image.repeat", title="Repeat images")
def repeat(image: Image, times: Annotated[int, Range(1, 4096)] = 2) -> Image:
    """Repeat a batch, whole, one after another.

    Args:
        image: The batch.
        times: How often.
    """
    return image_of(imaging.repeated(image.pixels.numpy(), times))


class Size(NamedTuple):
    """How large pictures are."""

    width: int
    height: int
    batch: int


@node("image.size", title="Image size")
def size(image: Image) -> Size:
    """Give the size of pictures as numbers, for other nodes.

    Args:
        image: The pictures.

    Returns:
        width: Pixels.
        height: Pixels.
        batch: How many pictures there are.
    """
    return Size(image.width, image.height, image.batch)


@node("image.empty", title="Empty image")
def empty(
    width: Annotated[int, Range(1, 16384)] = 512,
    height: Annotated[int, Range(1, 16384)] = 512,
    colour: str = "#000000",
    opacity: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    batch: Annotated[int, Range(1, 4096)] = 1,
) -> Image:
    """Make a picture of one colour.

    Args:
        width: Pixels.
        height: Pixels.
        colour: As #rrggbb.
        opacity: Below 1 the picture has alpha.
        batch: How many pictures.
    """
    return image_of(imaging.plain(width, height, imaging.parse_colour(colour), opacity, batch))


class Tiles(NamedTuple):
    """A picture in pieces."""

    tiles: Image
    size: int
    overlap: int


@node("image.split_tiles", title="Split into tiles")
def split_tiles(
    image: Image,
    size: Annotated[int, Range(16, 8192, step=16)] = 512,
    overlap: Annotated[int, Range(0, 2048, step=8)] = 64,
) -> Tiles:
    """Cut pictures into tiles that overlap, as one batch: row by row, one picture after another.

    Args:
        image: The pictures.
        size: Side of a tile, pixels; less where a picture is smaller.
        overlap: Pixels that neighbours share at least; at most half a tile.

    Returns:
        tiles: The tiles.
        size: The side of a tile, for *Join tiles*.
        overlap: The overlap, for *Join tiles*.
    """
    made = [imaging.cut_tiles(pixels, size, overlap) for pixels in image.pixels.numpy()]
    return Tiles(image_of(imaging.batched(made)), size, overlap)


@node("image.join_tiles", title="Join tiles")
def join_tiles(
    tiles: Image,
    image: Image,
    size: Annotated[int, Range(16, 8192, step=16)] = 512,
    overlap: Annotated[int, Range(0, 2048, step=8)] = 64,
) -> Image:
    """Join tiles without seams; tiles that nothing changed make the picture, bit for bit.

    Args:
        tiles: The tiles of *Split into tiles*, in their order; all may be larger by one factor.
        image: The pictures that were split.
        size: As they were split.
        overlap: As they were split.
    """
    picture_size = (image.width, image.height)
    return image_of(
        imaging.join_tiles(tiles.pixels.numpy(), picture_size, size, overlap, image.batch)
    )
