"""Enlarges pictures by a network, tile by tile, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from nodeforge import imaging
from nodeforge.diffusion.tensors.devices import out_of_memory_explained
from nodeforge.diffusion.vision.upscaler import LoadedUpscaler
from nodeforge.errors import NodeForgeError, OutOfMemoryError
from nodeforge.values import Image

TILE_ON_CPU, TILE_ON_CARD, LEAST_TILE = 256, 512, 64
"""Sides of tiles, pixels of the picture."""
_REACH = 24
"""What networks that see further feel of a tile's border beyond so many pixels is not visible."""
_ALIGNED = 32
"""What the places of tiles are multiples of, pixels."""
_FADE = 16
"""Pixels over which two tiles go over into each other."""


class EnlargeError(NodeForgeError):
    """A network that gives no picture."""


class Overlap(NamedTuple):
    """What neighbouring tiles share.

    Args:
        pixels: In all.
        unsure: Of these, at each end: there a tile feels its border, and its neighbour counts.
    """

    pixels: int
    unsure: int


@torch.no_grad()
def enlarge(
    upscaler: LoadedUpscaler,
    image: Image,
    *,
    tile: int = 0,
    progress: Callable[[int, int], None] = lambda step, of: None,
    fell_back: Callable[[], None] = lambda: None,
) -> Image:
    """`image` as many times larger as the network makes it.

    Alpha is enlarged by Lanczos; the colours below what is transparent are continued from what is
    not, so that none of them comes in at edges.

    Args:
        upscaler: The network.
        image: Pictures.
        tile: Side of the tiles, pixels; 0 is `TILE_ON_CPU` or `TILE_ON_CARD`. Memory beside the
            result grows with its square, whatever the picture's size.
        progress: Called before each tile with how many are done, and how many there are; what it
            raises stops the work.
        fell_back: Called once where memory did not suffice and smaller tiles were taken.

    Returns:
        Pictures of the network's scale, float32 on the CPU, in as many channels.

    Raises:
        EnlargeError: what came out is no number, which would be a black picture.
        OutOfMemoryError: memory does not suffice, even in small tiles.
    """
    side = tile or (TILE_ON_CPU if upscaler.device.type == "cpu" else TILE_ON_CARD)
    scale, channels = upscaler.network.scale, image.pixels.shape[3]
    shape = (image.batch, image.height * scale, image.width * scale, channels)
    made = torch.empty(shape)
    side = _fitting(upscaler, image, side, made, progress, fell_back)
    if channels == 4:
        for alpha, into in zip(image.pixels[..., 3], made, strict=True):
            larger = imaging.resize(alpha.numpy(), shape[2], shape[1])
            into[..., 3] = torch.from_numpy(larger)
    return Image(made)


def _fitting(
    upscaler: LoadedUpscaler,
    image: Image,
    side: int,
    made: Tensor,
    progress: Callable[[int, int], None],
    fell_back: Callable[[], None],
) -> int:
    """Enlarge in tiles of `side`, or of the largest half of it that memory suffices for."""
    fits = side
    while True:
        try:
            with out_of_memory_explained():
                _enlarge_all(upscaler, image, fits, made, progress)
        except OutOfMemoryError as error:
            if fits // 2 < LEAST_TILE:
                raise _too_large(image) from error
        else:
            return fits
        if fits == side:
            fell_back()
        fits //= 2
        if upscaler.device.type != "cpu":
            torch.get_device_module(upscaler.device).empty_cache()


def _enlarge_all(
    upscaler: LoadedUpscaler,
    image: Image,
    side: int,
    made: Tensor,
    progress: Callable[[int, int], None],
) -> None:
    overlap = overlap_of(upscaler.network.reach, side)
    tiles = len([*tile_spans(image.height, side, overlap.pixels)])
    tiles *= len([*tile_spans(image.width, side, overlap.pixels)])
    for number, pixels in enumerate(image.pixels):

        def advance(done: int, before: int = number * tiles) -> None:
            progress(before + done, image.batch * tiles)

        _enlarge_one(upscaler, _colours(pixels), side, overlap, made[number, ..., :3], advance)


def overlap_of(reach: int, side: int) -> Overlap:
    """What tiles of `side` pixels share, for a network that sees `reach` pixels far."""
    unsure = min(reach, _REACH, max(0, side // 4 - _FADE // 2))
    return Overlap(2 * unsure + _FADE, unsure)


def tile_spans(length: int, side: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Where tiles start and end along a side of the picture.

    They start at multiples of `_ALIGNED`, so that windows of attention and cells of folded pixels
    are those of the whole picture; the last one ends with the picture, and may be longer.
    """
    step = max(_ALIGNED, (side - overlap) // _ALIGNED * _ALIGNED)
    at = 0
    while at + side + _ALIGNED <= length:
        yield at, at + side
        at += step
    yield at, length


def _enlarge_one(
    upscaler: LoadedUpscaler,
    colours: Tensor,
    side: int,
    overlap: Overlap,
    made: Tensor,
    progress: Callable[[int], None],
) -> None:
    """Enlarge (height, width, 3) into `made`, one row of tiles at a time."""
    scale, done, before = upscaler.network.scale, 0, 0
    for top, bottom in tile_spans(colours.shape[0], side, overlap.pixels):

        def advance(tiles: int, before: int = done) -> None:
            progress(before + tiles)

        row = colours[top:bottom]
        strip = made.new_empty(row.shape[0] * scale, *made.shape[1:])
        done += _enlarge_row(upscaler, row, side, overlap, strip, advance)
        into = made[top * scale : bottom * scale]
        _lay_over(into, strip, (before - top) * scale, overlap.unsure * scale, 0)
        before = bottom


def _enlarge_row(
    upscaler: LoadedUpscaler,
    row: Tensor,
    side: int,
    overlap: Overlap,
    made: Tensor,
    progress: Callable[[int], None],
) -> int:
    """Enlarge pixels as high as a tile into `made`; gives how many tiles there were."""
    scale, before, done = upscaler.network.scale, 0, 0
    for left, right in tile_spans(row.shape[1], side, overlap.pixels):
        progress(done)
        into = made[:, left * scale : right * scale]
        part = _called(upscaler, row[:, left:right])
        _lay_over(into, part, (before - left) * scale, overlap.unsure * scale, 1)
        before = right
        done += 1
    return done


def _lay_over(into: Tensor, part: Tensor, shared: int, unsure: int, axis: int) -> None:
    """Put `part` over `into`; over what both have, it fades in along an axis.

    Where both say the same, so does the result, to the bit.
    """
    into.narrow(axis, shared, into.shape[axis] - shared).copy_(
        part.narrow(axis, shared, part.shape[axis] - shared)
    )
    if shared:
        weights = _rise(shared, unsure)
        weights = weights[:, None, None] if axis == 0 else weights[:, None]
        into.narrow(axis, 0, shared).lerp_(part.narrow(axis, 0, shared), weights)


def _rise(shared: int, unsure: int) -> Tensor:
    """Weights of a tile where the one before has the same pixels: from 0 to 1.

    Args:
        shared: How many pixels.
        unsure: How many of them weigh nothing, and how many at the end weigh all.
    """
    at = torch.arange(1, shared + 1, dtype=torch.float32)
    unsure = min(unsure, (shared - 1) // 2)
    return ((at - unsure) / (shared + 1 - 2 * unsure)).clamp(0, 1)


def _called(upscaler: LoadedUpscaler, colours: Tensor) -> Tensor:
    """What the network makes of (height, width, 3): the same, larger, float32 on the CPU."""
    network = upscaler.network
    x = colours.permute(2, 0, 1)
    x = x[:, None] if network.channels == 1 else x[None]  # a grey network sees each colour alone
    x = x.contiguous().to(upscaler.device, upscaler.dtype)
    height, width = x.shape[-2:]
    below, right = -height % network.folded, -width % network.folded
    if below or right:
        mode = "reflect" if below < height and right < width else "replicate"
        x = pad(x, (0, right, 0, below), mode=mode)
    made = network(x)
    made = made[..., : height * network.scale, : width * network.scale].float()
    if not bool(made.isfinite().all()):
        raise _no_numbers()
    made = made.clamp(0, 1).cpu()
    return (made[:, 0] if network.channels == 1 else made[0]).permute(1, 2, 0)


def _colours(pixels: Tensor) -> Tensor:
    """(height, width, 3) of a picture; what nobody sees is continued from what is seen."""
    if pixels.shape[2] == 3:
        return pixels
    if not bool((pixels[..., 3] <= 0).any()):
        return pixels[..., :3]
    seen = pixels[..., 3:] > 0
    nothing = pixels.new_zeros(pixels.shape[:2]).numpy()
    filled = imaging.fill(pixels.numpy(), nothing, imaging.Fill.ORIGINAL)
    return torch.where(seen, pixels[..., :3], torch.from_numpy(filled))


def _no_numbers() -> EnlargeError:
    return EnlargeError(
        "the upscaler answered with what is no number (NaN or infinite).",
        place="port 'upscale_model'",
        way_out="Its file may be damaged: try another one. In half precision numbers may "
        "overflow: choose full precision in the preferences.",
    )


def _too_large(image: Image) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"memory does not suffice to enlarge {image.width} × {image.height}, even in tiles of "
        f"{LEAST_TILE} pixels.",
        way_out="Free memory, or use a smaller upscaler.",
    )
