"""Pictures of cached values, for the window: no network is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodeforge import imaging
from nodeforge.diffusion.denoising.preview import factors_of, preview
from nodeforge.values import Image, Latent, Mask, Video
from nodeforge.values.latent import BCTHW

LARGEST = 512
"""Pixels of the longer side, unless more is asked for."""


def render(value: Any, longest: int = LARGEST, item: int = 0) -> np.ndarray | None:
    """A picture of `value`, uint8 (height, width, 3 or 4); None for what has none.

    Args:
        value: An image, mask, latent or video; a latent's picture has a latent's own size.
        longest: Pixels of the longer side at most.
        item: Which one of the batch; of a video, which frame.
    """
    if not 0 <= item < _count(value):
        return None
    match value:
        case Image():
            pixels = value.pixels[item].numpy()
        case Mask():
            pixels = np.repeat(value.values[item].numpy()[..., None], 3, axis=2)
        case Video():
            pixels = imaging.to_float(value.frames[item].numpy())
        case Latent():
            return preview(_cells(value, item), factors_of(value.space, value.samples.shape[1]))
        case _:
            return None
    height, width = pixels.shape[:2]
    if max(height, width) > longest:
        share = longest / max(height, width)
        size = max(1, round(width * share)), max(1, round(height * share))
        pixels = imaging.resize(pixels, *size, imaging.Method.AREA)
    return imaging.to_bytes(pixels)


def _count(value: Any) -> int:
    """How many pictures it has."""
    match value:
        case Image() | Mask():
            return value.batch
        case Video():
            return value.count
        case Latent(layout=layout) if "H" in layout:
            return value.batch * value.frames
    return 0


def _cells(latent: Latent, item: int) -> Any:
    """(channels, height, width): a picture of a batch, or a time of a clip."""
    clip, time = divmod(item, latent.frames)
    return latent.samples[clip, :, time] if latent.layout == BCTHW else latent.samples[clip]
