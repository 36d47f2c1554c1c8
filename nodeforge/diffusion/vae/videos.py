"""Encodes videos to latents and decodes them, a group of frames at a time.

The frames of a clip in floating point take four times their 8 bits and more: only a group of them
is held so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from nodeforge.diffusion.networks.loading import LoadedVae
from nodeforge.diffusion.vae.autoencoder import decode, encode
from nodeforge.errors import RequestError
from nodeforge.values import Image, Latent, Video
from nodeforge.values.latent import BCHW, BCTHW

GROUP = 4
"""Frames that a VAE of pictures decodes at once."""


class ClipError(RequestError):
    """A latent that is no video, or a clip that it has not."""


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
    cells = latent.samples[item].transpose(0, 1)  # (frames, channels, height, width)
    frames = torch.empty(latent.frames, latent.height, latent.width, 3, dtype=torch.uint8)
    for at in range(0, latent.frames, GROUP):
        check()
        group = replace(latent, samples=cells[at : at + GROUP].contiguous(), layout=BCHW)
        image = decode(vae, group, tiled=tiled, check=check, fell_back=fell_back)
        frames[at : at + GROUP] = _in_8_bits(image)
    return Video(frames, rate or latent.rate)


def encode_video(
    vae: LoadedVae,
    video: Video,
    *,
    tiled: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Latent:
    """The latent of `video`, (1, channels, frames, height, width).

    Args:
        vae: The autoencoder.
        video: Its sides are multiples of the VAE's scale.
        tiled: Work in tiles, which needs less memory and changes numbers.
        check: Called between groups of frames and between tiles; what it raises stops the work.

    Raises:
        LatentSizeError: the VAE's scale does not divide a side.
    """
    cells = []
    for at in range(0, video.count, GROUP):
        check()
        image = Image(video.frames[at : at + GROUP].float() / 255)
        cells.append(encode(vae, image, tiled=tiled, check=check).samples)
    samples = torch.cat(cells).transpose(0, 1)[None].contiguous()
    return Latent(samples, vae.space, vae.scale, BCTHW, video.rate)


def _in_8_bits(image: Image) -> torch.Tensor:
    return (image.pixels * 255).round_().to(torch.uint8)


def _check(latent: Latent, item: int) -> None:
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
