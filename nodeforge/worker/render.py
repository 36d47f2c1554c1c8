"""Pictures of cached values, for the window: no network is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodeforge import imaging
from nodeforge.diffusion.denoising.preview import factors_of, preview
from nodeforge.values import Image, Latent, Mask

LARGEST = 512
"""Pixels of the longer side, unless more is asked for."""


def render(value: Any, longest: int = LARGEST, item: int = 0) -> np.ndarray | None:
    """A picture of `value`, uint8 (height, width, 3 or 4); None for what has none.

    Args:
        value: An image, mask or latent; a latent's picture has a latent's own size.
        longest: Pixels of the longer side at most.
        item: Which one of the batch.
    """
    if not isinstance(value, Image | Mask | Latent) or not 0 <= item < value.batch:
        return None
    match value:
        case Image():
            pixels = value.pixels[item].numpy()
        case Mask():
            pixels = np.repeat(value.values[item].numpy()[..., None], 3, axis=2)
        case Latent():
            return preview(value.samples[item], factors_of(value.space, value.samples.shape[1]))
    height, width = pixels.shape[:2]
    if max(height, width) > longest:
        share = longest / max(height, width)
        size = max(1, round(width * share)), max(1, round(height * share))
        pixels = imaging.resize(pixels, *size, imaging.Method.AREA)
    return imaging.to_bytes(pixels)
