"""A detail pass: each part of a mask denoised by itself, at the model's size, and put back.

Parts are known only while running, so one loop after another runs here. Each has step keys of its
own, made from what it sees: after a change, parts that see the same are taken from checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nodeforge import imaging
from nodeforge.diffusion.denoising.inpainting import masked_picture
from nodeforge.diffusion.denoising.loop import denoise
from nodeforge.diffusion.denoising.setup import Denoising
from nodeforge.diffusion.participants import Host
from nodeforge.diffusion.participants.host import Steps
from nodeforge.diffusion.tensors.noise import DrawnNoise
from nodeforge.diffusion.vae.autoencoder import decode, encode
from nodeforge.diffusion.weights.model_facts import facts, native_size
from nodeforge.values import Image, Mask, Noise, Recipe, Vae

if TYPE_CHECKING:
    from nodeforge.imaging import Pixels


@dataclass(frozen=True)
class Detailing:
    """How parts are cut out and put back.

    Args:
        size: Side of a square with as many pixels as the model is to see; None is its own.
        context: What to see around a part, as `imaging.crop_region` takes it.
        feather: Pixels of the picture over which a part fades in, inside of its mask.
        match: 0..1, how far to take out the drift of colour that shows around the mask.
    """

    size: int | None = None
    context: float = 0.5
    feather: int = 8
    match: float = 1.0


def refine_parts(
    host: Host,
    task: Denoising,
    vae: Vae,
    pixels: Pixels,
    parts: Sequence[Pixels],
    how: Detailing,
    fell_back: Callable[[], None] = lambda: None,
) -> Pixels:
    """`pixels` with each part denoised, one after another; outside of all parts, its bits.

    A part sees what the parts before it have become.

    Args:
        host: Gives the networks, takes progress, keeps checkpoints.
        task: What each loop does. It gets latent and mask here; part i has noise of the seed of
            its noise + i.
        vae: The model's own.
        pixels: (height, width, 3 or 4), 0..1.
        parts: Masks of its size, (height, width), 0..1.
        how: How they are cut out and put back.
        fell_back: Called where decoding needed tiles for want of memory.

    Raises:
        SizeMismatchError: a mask has another size than the picture.
        NodeForgeError: as `denoise`.
        Cancelled: the person stopped the run.
    """
    for index, part in enumerate(parts):
        ours = _OnePart(host, index, len(parts))
        pixels = _refined(ours, _seeded(task, index), vae, pixels, part, how, fell_back)
    return pixels


def _seeded(task: Denoising, index: int) -> Denoising:
    noise = task.noise or Noise(0)
    assert not isinstance(noise, DrawnNoise)
    return replace(task, noise=replace(noise, seed=(noise.seed + index) % 2**63, batch=1))


def _refined(
    host: Host,
    task: Denoising,
    vae: Vae,
    pixels: Pixels,
    part: Pixels,
    how: Detailing,
    fell_back: Callable[[], None],
) -> Pixels:
    imaging.check_same_size(pixels, part)
    side, multiple = native_size(task.model.weights)
    box = imaging.bounding_box(part)
    size = (pixels.shape[1], pixels.shape[0])
    region = imaging.crop_region(box, size, how.context, multiple, how.size or side)
    inside = imaging.cut_out_mask(part, region)
    crop = _image(imaging.cut_out(pixels, region))
    mask = Mask(torch.from_numpy(imaging.denoise_mask(inside, task.schedule.strength, side)[None]))
    with host.use(vae) as loaded:
        latent = encode(loaded, crop, check=host.check)
        seen = None
        if facts(task.model).reads_mask:
            seen = encode(loaded, masked_picture(crop, mask), check=host.check)
    made = denoise(host, replace(task, latent=latent, mask=mask, masked_image=seen))
    with host.use(vae) as loaded:
        generated = decode(loaded, made, check=host.check, fell_back=fell_back)
    return imaging.put_back(
        pixels, generated.pixels[0].numpy(), part, region, how.feather, how.match
    )


def _image(pixels: Pixels) -> Image:
    return Image(torch.from_numpy(np.ascontiguousarray(pixels)[None]))


@dataclass(frozen=True)
class _OnePart:
    """A host for one loop of several, whose progress is that share of the whole."""

    host: Host
    index: int
    count: int

    @property
    def device(self) -> str:
        return self.host.device

    @property
    def numerics(self) -> Mapping[str, str]:
        return self.host.numerics

    @property
    def steps(self) -> Steps:
        return self.host.steps

    def check(self) -> None:
        self.host.check()

    def count_model_call(self) -> None:
        self.host.count_model_call()

    def use(self, recipe: Recipe) -> AbstractContextManager[Any]:
        return self.host.use(recipe)

    def progress(
        self,
        step: int,
        of: int,
        preview: Callable[[], np.ndarray] | None = None,
        part: float = 0.0,
        rate: float = 8.0,
    ) -> None:
        self.host.progress(self.index * of + step, self.count * of, preview, part, rate)
