"""Masks in latent space: what a 4-channel model keeps, and what a 9-channel model reads."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.diffusion.tensors.prediction import as_noised, predicting
from nodeforge.values import Image, Latent, Mask, SizeMismatchError

_ROUNDING = 1e-4
"""Means of float32 ones may lie below 1 by less than this; no schedule has as many steps."""


def latent_mask(mask: Mask, latent: Latent) -> Tensor:
    """The mask on the latent's cells, (1 or batch, 1, height, width), 1 may change.

    Of a soft mask each cell gets the mean of its pixels; of one that holds 0 and 1 alone its
    upper left pixel (nearest neighbour), as the pipelines take it. How many pixels a cell has
    is the VAE's.

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
    hard = bool(((mask.values == 0) | (mask.values == 1)).all())
    mode = "nearest" if hard else "area"
    return interpolate(mask.values[:, None], size=latent.samples.shape[-2:], mode=mode)


def hard_mask(mask: Mask, latent: Latent) -> Tensor:
    """`latent_mask` of the mask cut at one half, as 9-channel models were shown it."""
    return latent_mask(Mask((mask.values >= 0.5).float()), latent)


def masked_picture(image: Image, mask: Mask) -> Image:
    """`image` with grey where the mask is at least one half: what 9-channel models look at."""
    mask.check_fits(image)
    keep = (mask.values < 0.5)[..., None]
    return Image(torch.where(keep, image.pixels[..., :3], 0.5))


class Keep:
    """Lets each cell change in its share of the steps: Levin and Fried 2023, "Differential
    Diffusion: Giving Each Pixel Its Strength".

    A cell of mask m is open in the last m of the steps run. Until then it is the original, at
    the noise it should have, and the network's clean estimate of it is the original too. What
    never opens keeps its bits. A mask of 0 and 1 makes diffusers'
    StableDiffusionInpaintPipeline of it, to the last bit.

    Args:
        original: What is kept, (batch, channels, height, width).
        noise: What the original is noised with, of that shape.
        mask: On the latent's cells, 0..1.
        steps: Whole steps run.
    """

    def __init__(self, original: Tensor, noise: Tensor, mask: Tensor, steps: int) -> None:
        self._original = original
        self._noise = noise
        self._mask = mask
        self._steps = steps
        self._open = mask >= 1

    def enter(self, step: int) -> None:
        """Open the cells of whole step `step`, counted among the steps run."""
        self._open = self._mask + _ROUNDING >= 1 - step / self._steps

    def __call__(self, x: Tensor, add_noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """x after a model call, with the original where it is kept."""
        return torch.where(self._open, x, add_noise(self._original, self._noise))

    def estimate(self, prediction: Tensor, read: Tensor, sigma: Tensor, kind: str) -> Tensor:
        """`prediction` where a cell is open, elsewhere the one that stands for the original.

        Args:
            prediction: Of the network, guided.
            read: x as the network reads it.
            sigma: Its noise level.
            kind: What the network predicts.
        """
        x = as_noised(read, sigma, kind)
        return torch.where(self._open, prediction, predicting(self._original, x, sigma, kind))


def inpainting_channels(mask: Tensor, masked: Tensor, batch: int) -> Tensor:
    """What a 9-channel model reads beside x: (batch, 1 + channels, height, width)."""
    mask = mask.expand(batch, -1, -1, -1)
    return torch.cat([mask, masked.expand(batch, -1, -1, -1)], dim=1)
