"""Encodes videos to latents and decodes them, a group of frames at a time.

The frames of a clip in floating point take four times their 8 bits and more: only a group of them
is held so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedVae
from nodeforge.diffusion.tensors.devices import TILE, out_of_memory_explained
from nodeforge.diffusion.tensors.latents import LatentSizeError, check_size
from nodeforge.diffusion.tensors.tiles import Tile, placed_tiles
from nodeforge.diffusion.vae.autoencoder import (
    OVERLAP,
    OutOfMemoryError,
    check_numbers,
    check_space,
    decode,
    encode,
    too_large,
)
from nodeforge.diffusion.vae.causal import (
    FRAMES_IN_CELL,
    decoded_groups,
    encoded,
    frames_of,
    is_causal,
)
from nodeforge.diffusion.vae.normalising import as_encoded, as_latent
from nodeforge.errors import RequestError
from nodeforge.models import FAMILIES, SPACES
from nodeforge.values import Image, Latent, Mask, Video
from nodeforge.values.latent import BCHW, BCTHW

GROUP = 4
"""Frames that a VAE of pictures codes at once."""


class ClipError(RequestError):
    """A latent that is no video, or a clip that it has not."""


@torch.no_grad()
def decode_video(
    vae: LoadedVae,
    latent: Latent,
    *,
    item: int = 0,
    rate: float | None = None,
    tiled: bool = False,
    check: Callable[[], None] = lambda: None,
    fell_back: Callable[[], None] = lambda: None,
) -> Video:
    """A clip of `latent`, in 8 bits.

    Args:
        vae: The autoencoder.
        latent: Of its space, with a time axis.
        item: Which clip of a batch.
        rate: Frames a second; None is what the latent was made for.
        tiled: Work in tiles, which needs less memory and changes numbers.
        check: Called between groups of frames and between tiles; what it raises stops the work.
        fell_back: Called where memory did not suffice and tiles were taken unasked.

    Raises:
        ClipError: the latent has no time axis, or no such clip.
        LatentMismatchError: the latent is of another space.
        OutOfMemoryError: memory does not suffice, even in tiles.
        VaeError: what came out is no number.
    """
    _check(latent, item)
    check_space(vae, latent)
    clip = replace(latent, samples=latent.samples[item : item + 1])
    if not is_causal(vae.network):
        frames = _decoded_apart(vae, clip, tiled, check, fell_back)
    else:
        frames = _decoded_along_time(vae, clip, tiled, check, fell_back)
    return Video(frames, rate or latent.rate)


def _decoded_apart(
    vae: LoadedVae,
    clip: Latent,
    tiled: bool,
    check: Callable[[], None],
    fell_back: Callable[[], None],
) -> Tensor:
    """By a VAE of pictures."""
    cells = clip.samples[0].transpose(0, 1)
    frames = torch.empty(clip.frames, clip.height, clip.width, 3, dtype=torch.uint8)
    for at in range(0, clip.frames, GROUP):
        check()
        group = replace(clip, samples=cells[at : at + GROUP].contiguous(), layout=BCHW)
        image = decode(vae, group, tiled=tiled, check=check, fell_back=fell_back)
        frames[at : at + GROUP] = (image.pixels * 255).round_().to(torch.uint8)
    return frames


def _decoded_along_time(
    vae: LoadedVae,
    clip: Latent,
    tiled: bool,
    check: Callable[[], None],
    fell_back: Callable[[], None],
) -> Tensor:
    samples = as_encoded(vae.network, clip.samples.to(vae.network.device))
    shape = frames_of(clip.frames), clip.height, clip.width, 3
    frames = torch.empty(shape, dtype=torch.uint8)
    if not tiled:
        try:
            with out_of_memory_explained():
                _decode_into(frames, vae, samples, check)
            return frames
        except OutOfMemoryError:
            fell_back()
    try:
        with out_of_memory_explained():
            _decode_tiles_into(frames, vae, samples, check)
    except OutOfMemoryError:
        raise too_large(clip) from None
    return frames


def _decode_into(
    frames: Tensor, vae: LoadedVae, samples: Tensor, check: Callable[[], None]
) -> None:
    at = 0
    for group in decoded_groups(vae.network, samples, check):
        made = _in_8_bits(group)
        frames[at : at + len(made)] = made
        at += len(made)


def _decode_tiles_into(
    frames: Tensor, vae: LoadedVae, samples: Tensor, check: Callable[[], None]
) -> None:
    """Tile after tile, each of the whole clip; where two overlap, the later fades in."""
    side, overlap = TILE // vae.scale, OVERLAP // vae.scale
    height, width = samples.shape[-2:]
    for tile in placed_tiles(height, width, side, overlap):
        fade = _fade(tile, overlap, vae.scale)
        top, left = tile.top * vae.scale, tile.left * vae.scale
        at = 0
        for group in decoded_groups(vae.network, tile.cut(samples).contiguous(), check):
            made = _in_8_bits(group)
            high, wide = made.shape[1:3]
            place = frames[at : at + len(made), top : top + high, left : left + wide]
            mixed = place.float().lerp(made.float(), fade)
            place.copy_(mixed.round_().to(torch.uint8))
            at += len(made)


def _fade(tile: Tile, overlap: int, scale: int) -> Tensor:
    """How much a tile counts beside those above it and left of it: (height, width, 1)."""

    def ramp(length: int, begins: bool) -> Tensor:
        shares = torch.ones(length * scale)
        if not begins:
            count = overlap * scale
            shares[:count] = (torch.arange(count) + 0.5) / count
        return shares

    rows, columns = ramp(tile.height, tile.top == 0), ramp(tile.width, tile.left == 0)
    return (rows[:, None] * columns)[..., None]


@torch.no_grad()
def encode_video(
    vae: LoadedVae,
    video: Video,
    *,
    tiled: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Latent:
    """The latent of `video`, (1, channels, cells, height, width).

    Args:
        vae: The autoencoder.
        video: Its sides are multiples of the VAE's scale; for a VAE along time it has one frame
            and a multiple of four.
        tiled: Work in tiles, for VAEs of pictures: needs less memory and changes numbers.
        check: Called between groups of frames and between tiles; what it raises stops the work.

    Raises:
        LatentSizeError: the VAE's scale does not divide a side, or the number of frames is none
            that it can code.
    """
    check_size(video.width, video.height, vae.scale)
    if is_causal(vae.network):
        samples = _encoded_along_time(vae, video, check)
    else:
        groups = []
        for at in range(0, video.count, GROUP):
            check()
            image = Image(video.frames[at : at + GROUP].float() / 255)
            groups.append(encode(vae, image, tiled=tiled, check=check).samples)
        samples = torch.cat(groups).transpose(0, 1)[None]
    return Latent(samples.contiguous(), vae.space, vae.scale, BCTHW, video.rate)


def start_of_video(
    vae: LoadedVae, given: Video, frames: int, check: Callable[[], None] = lambda: None
) -> tuple[Latent, Mask]:
    """A latent that begins with given frames, and a mask of what is to be drawn after them.

    Args:
        vae: The autoencoder.
        given: The first frames; for a VAE along time one and a multiple of four.
        frames: Of the whole video, more than are given.
        check: Called between groups of frames; what it raises stops the work.

    Returns:
        The latent, (1, channels, cells, height, width), 0 after what is given; the mask, (cells,
        height, width) in pixels, 1 where the video is to be drawn.

    Raises:
        LatentSizeError: the VAE cannot code so many frames, or frames of this size.
    """
    each = FRAMES_IN_CELL if is_causal(vae.network) else 1
    if (frames - 1) % each or frames <= given.count:
        least = (given.count // each + 1) * each + 1 if each > 1 else given.count + 1
        raise LatentSizeError(
            f"a video of {frames} frames cannot begin with {given.count} given ones.",
            place="port 'frames'",
            way_out=f"Use {least} or more, one and a multiple of {each}.",
        )
    start = encode_video(vae, given, check=check)
    cells = (frames - 1) // each + 1
    samples = start.samples.new_zeros(*start.samples.shape[:2], cells, *start.samples.shape[3:])
    samples[:, :, : start.frames] = start.samples
    mask = torch.ones(cells, given.height, given.width)
    mask[: start.frames] = 0
    return replace(start, samples=samples), Mask(mask)


def _encoded_along_time(vae: LoadedVae, video: Video, check: Callable[[], None]) -> Tensor:
    if (video.count - 1) % FRAMES_IN_CELL:
        near = max(0, round((video.count - 1) / FRAMES_IN_CELL)) * FRAMES_IN_CELL + 1
        raise LatentSizeError(
            f"{video.count} frames: this VAE codes one frame and a multiple of {FRAMES_IN_CELL}.",
            place="port 'video'",
            way_out=f"Trim the video to {near} frames.",
        )
    network = vae.network

    def groups() -> Iterator[Tensor]:
        at = 0
        while at < video.count:
            check()
            count = 1 if at == 0 else FRAMES_IN_CELL
            pixels = 2.0 * (video.frames[at : at + count].float() / 255) - 1.0
            yield pixels.permute(3, 0, 1, 2)[None].to(network.device, network.dtype)
            at += count

    mean, _ = encoded(network, groups()).chunk(2, dim=1)
    return as_latent(network, mean).float().cpu()


def _in_8_bits(group: Tensor) -> Tensor:
    """(1, 3, frames, height, width) in -1..1 to uint8 (frames, height, width, 3).

    Raises:
        VaeError: they are no numbers.
    """
    check_numbers(group)
    pixels = (group[0].float() * 0.5 + 0.5).clamp(0, 1).mul_(255).round_().to(torch.uint8)
    return pixels.permute(1, 2, 3, 0).cpu()


def _check(latent: Latent, item: int) -> None:
    if FAMILIES[SPACES[latent.space].family].layers:
        raise ClipError(
            "the latent is of no video, but of a picture and its layers.",
            place="port 'latent'",
            way_out="Decode it with 'VAE decode'.",
        )
    if latent.layout != BCTHW:
        raise ClipError(
            "the latent is of no video: it has no frames.",
            place="port 'latent'",
            way_out="Decode it with 'VAE decode', or draw a video: start from 'Video noise'.",
        )
    if not 0 <= item < latent.batch:
        raise ClipError(
            f"the latent has {latent.batch} clips, none with the number {item}.",
            place="port 'item'",
            way_out=f"Choose less than {latent.batch}.",
        )
