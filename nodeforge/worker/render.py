"""Pictures of cached values, for the window: no network is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodeforge import imaging
from nodeforge.diffusion.denoising.preview import factors_of, preview
from nodeforge.media.waveform import waveform
from nodeforge.values import Audio, Image, Latent, Mask, Video
from nodeforge.values.latent import BCTHW
from nodeforge.worker.clips import shrunk

LARGEST = 512
"""Pixels of the longer side, unless more is asked for."""
_FLAT = 4
"""How many times as wide as high the picture of a sound is."""
_WIDEST = 4096
"""Pixels of the picture of a sound at most."""


def render(value: Any, longest: int = LARGEST, item: int = 0) -> np.ndarray | None:
    """A picture of `value`, uint8 (height, width, 3 or 4); None for what has none.

    Args:
        value: An image, mask, latent, video or sound; a latent's picture has a latent's own size,
            that of a sound is its waveform.
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
            return shrunk(value.frames[item].numpy(), longest)
        case Audio():
            width = min(longest, _WIDEST)
            return waveform(value.samples[item].numpy(), width, max(1, width // _FLAT))
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
        case Image() | Mask() | Audio():
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
