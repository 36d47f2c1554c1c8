"""Operations on latents: empty, upscale, blend, repeat."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import torch
from torch.nn.functional import interpolate

from nodeforge.errors import RequestError
from nodeforge.values import Latent


class LatentSizeError(RequestError):
    """A picture size that a latent cannot have."""


class Method(StrEnum):
    """How cells are made up when a latent is scaled."""

    BILINEAR = "bilinear"
    NEAREST = "nearest-exact"
    BICUBIC = "bicubic"


def check_size(width: int, height: int, scale: int) -> None:
    """Raise `LatentSizeError` unless both sides, in pixels, are multiples of `scale`."""
    if width < scale or height < scale or width % scale or height % scale:
        near = [max(1, round(side / scale)) * scale for side in (width, height)]
        raise LatentSizeError(
            f"{width} × {height} pixels: this model's sizes are multiples of {scale}.",
            way_out=f"Use for instance {near[0]} × {near[1]}.",
        )


def empty(space: str, channels: int, scale: int, width: int, height: int, batch: int) -> Latent:
    """A latent of zeros, (batch, channels, height / scale, width / scale).

    Raises:
        LatentSizeError: `scale` does not divide a side.
    """
    check_size(width, height, scale)
    samples = torch.zeros(batch, channels, height // scale, width // scale)
    return Latent(samples, space, scale)


def upscale(latent: Latent, width: int, height: int, method: Method) -> Latent:
    """The latent of a picture of `width` × `height` pixels.

    Raises:
        LatentSizeError: the latent's scale does not divide a side.
    """
    check_size(width, height, latent.scale)
    size = (height // latent.scale, width // latent.scale)
    smooth = {} if method is Method.NEAREST else {"antialias": True}
    return replace(
        latent, samples=interpolate(latent.samples, size=size, mode=str(method), **smooth)
    )


def blend(first: Latent, second: Latent, weight: float) -> Latent:
    """`weight` 0 is the first, 1 the second."""
    first.check_like(second)
    one, other = torch.broadcast_tensors(first.samples, second.samples)
    return replace(first, samples=one.lerp(other, weight))


def repeat(latent: Latent, times: int) -> Latent:
    """The batch `times` over: a, b becomes a, b, a, b."""
    return replace(latent, samples=latent.samples.repeat(times, 1, 1, 1))
