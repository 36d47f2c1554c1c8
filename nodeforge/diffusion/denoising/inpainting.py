"""Inpainting: masks applied in latent space, given frames, the channels of inpainting models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.diffusion.participants import (
    ModelCall,
    Order,
    Participant,
    Predict,
    participant,
)
from nodeforge.diffusion.samplers.stepper import Blend
from nodeforge.diffusion.tensors.prediction import as_noised, predicting
from nodeforge.values import Image, Latent, Mask, SizeMismatchError
from nodeforge.values.latent import BCTHW

_ROUNDING = 1e-4
"""Means of float32 ones may lie below 1 by less than this; no schedule has as many steps."""


def latent_mask(mask: Mask, latent: Latent) -> Tensor:
    """The mask on the latent's cells, (1 or batch, 1, height, width), 1 may change.

    A video's is (1, 1, 1 or frames, height, width).

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
    times = latent.frames if latent.layout == BCTHW else latent.batch
    if mask.batch not in (1, times):
        raise SizeMismatchError(
            f"there are {mask.batch} masks for {times} pictures.",
            way_out="Give one mask, or one for each picture.",
        )
    hard = bool(((mask.values == 0) | (mask.values == 1)).all())
    mode = "nearest" if hard else "area"
    cells = interpolate(mask.values[:, None], size=latent.samples.shape[-2:], mode=mode)
    return cells.transpose(0, 1)[None] if latent.layout == BCTHW else cells


def hard_mask(mask: Mask, latent: Latent) -> Tensor:
    """`latent_mask` of the mask cut at one half, as 9-channel models were shown it."""
    return latent_mask(Mask((mask.values >= 0.5).float()), latent)


def folded_mask(mask: Mask, latent: Latent) -> Tensor:
    """The mask cut at one half, a cell's pixels as channels: (batch, scale², height, width).

    Flux.1 Fill reads it so.

    Raises:
        SizeMismatchError: the mask has not the size of the latent's picture.
    """
    latent_mask(mask, latent)  # checks the sizes
    scale, (height, width) = latent.scale, latent.samples.shape[-2:]
    values = (mask.values >= 0.5).float().reshape(-1, height, scale, width, scale)
    return values.permute(0, 2, 4, 1, 3).reshape(-1, scale**2, height, width)


def masked_picture(image: Image, mask: Mask) -> Image:
    """`image` with grey where the mask is at least one half: what 9-channel models look at."""
    mask.check_fits(image)
    keep = (mask.values < 0.5)[..., None]
    return Image(torch.where(keep, image.colours, 0.5))


@participant(order=Order.MASK)
class DifferentialMask(Participant):
    """Lets each cell change in its share of the steps: Levin and Fried 2023, "Differential
    Diffusion: Giving Each Pixel Its Strength".

    A cell of mask m may change in the last m of the steps run. Until then it is the original, at
    the noise it should have, and the network's clean estimate of it is the original too. A cell
    of mask 0 keeps its bits. A mask of 0 and 1 makes diffusers' StableDiffusionInpaintPipeline
    of it, to the last bit.

    Args:
        original: What is kept, (batch, channels, height, width).
        noise: What the original is noised with, of that shape.
        mask: On the latent's cells, 0..1.
        first: Whole steps run before this run's first.
        steps: Whole steps run.
        prediction_type: What the network predicts.
    """

    original: Tensor
    noise: Tensor
    mask: Tensor
    first: int
    steps: int
    prediction_type: str

    def may_change(self, step: int) -> Tensor:
        """The cells that may change in `step`."""
        return self.mask + _ROUNDING >= 1 - (self.first + step) / self.steps

    def wrap(self, predict: Predict, step: int) -> Predict:
        may_change = self.may_change(step)

        def predicted(call: ModelCall) -> Tensor:
            prediction, kind = predict(call), self.prediction_type
            x = as_noised(call.x, call.sigma, kind)
            kept = predicting(self.original, x, call.sigma, kind)
            return torch.where(may_change, prediction, kept)

        return predicted

    def blend(self, step: int) -> Blend:
        may_change = self.may_change(step)

        def blended(x: Tensor, add_noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
            return torch.where(may_change, x, add_noise(self.original, self.noise))

        return blended


@participant(order=Order.CHANNELS)
class InpaintingChannels(Participant):
    """What a 9-channel inpainting model reads beside x.

    Args:
        channels: Mask and masked picture, (batch, 1 + channels, height, width).
    """

    channels: Tensor

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            part = call.tile.cut(self.channels)
            part = part.repeat(call.x.shape[0] // part.shape[0], 1, 1, 1)
            return predict(replace(call, x=torch.cat([call.x, part], dim=1)))

        return predicted


def inpainting_channels(mask: Tensor, masked: Tensor, batch: int) -> Tensor:
    """What a 9-channel model reads beside x: (batch, 1 + channels, height, width)."""
    mask = mask.expand(batch, -1, -1, -1)
    return torch.cat([mask, masked.expand(batch, -1, -1, -1)], dim=1)


@participant(order=Order.CHANNELS)
class GivenFrames(Participant):
    """Shows the denoiser given cells as they are, at timestep 0, and keeps them.

    For models of videos that see given frames without noise (Wan 2.2 5B).

    Args:
        original: The latent with the given cells, (1, channels, cells, height, width).
        mask: 1 where the video is to be drawn, 0 where it is given, (1, 1, cells, height, width).
    """

    original: Tensor
    mask: Tensor

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            original, mask = call.tile.cut(self.original), call.tile.cut(self.mask)
            x = (1 - mask) * original + mask * call.x
            return predict(replace(call, x=x, timestep=mask[:, 0] * call.timestep.to(mask.device)))

        return predicted

    def blend(self, step: int) -> Blend:
        def blended(x: Tensor, add_noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
            return (1 - self.mask) * self.original + self.mask * x

        return blended
