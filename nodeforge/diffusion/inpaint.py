"""Masks in latent space: what a 4-channel model keeps, and what a 9-channel model reads."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.values import Image, Latent, Mask, SizeMismatchError


def latent_mask(mask: Mask, latent: Latent) -> Tensor:
    """The mask on the latent's cells, (1 or batch, 1, height, width), as the pipelines take it.

    Each cell gets the value of its upper left pixel (nearest neighbour), 1 may change.

    Raises:
        SizeMismatchError: the mask has not the size of the latent's picture.
    """
    if (mask.width, mask.height) != (latent.width, latent.height):
        raise SizeMismatchError(
            f"the mask is {mask.width} × {mask.height} pixels, "
            f"the latent's picture {latent.width} × {latent.height}.",
            way_out="Scale the mask to the picture that was encoded.",
        )
    if mask.batch not in (1, latent.batch):
        raise SizeMismatchError(
            f"there are {mask.batch} masks for {latent.batch} pictures.",
            way_out="Give one mask, or one for each picture.",
        )
    return interpolate(mask.values[:, None], size=latent.samples.shape[-2:])


def masked_picture(image: Image, mask: Mask) -> Image:
    """`image` with grey where the mask is at least one half: what 9-channel models look at."""
    mask.check_fits(image)
    keep = (mask.values < 0.5)[..., None]
    return Image(torch.where(keep, image.pixels[..., :3], 0.5))


class Keep:
    """Puts the original back outside of the mask after a model call, at the noise it should have.

    As diffusers' StableDiffusionInpaintPipeline does. After the last call the original itself
    comes back, so that a cell where the mask is 0 keeps its bits.
    """

    def __init__(self, original: Tensor, noise: Tensor, mask: Tensor) -> None:
        self._original = original
        self._noise = noise
        self._mask = mask

    def __call__(self, x: Tensor, add_noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        original = add_noise(self._original, self._noise)
        return (1 - self._mask) * original + self._mask * x


def inpainting_channels(mask: Tensor, masked: Tensor, batch: int) -> Tensor:
    """What a 9-channel model reads beside x: (batch, 1 + channels, height, width)."""
    mask = mask.expand(batch, -1, -1, -1)
    return torch.cat([mask, masked.expand(batch, -1, -1, -1)], dim=1)
