"""From numpy to what travels along links, and back, without copying."""

from collections.abc import Callable

import torch

from nodeforge import imaging
from nodeforge.api import Image, Mask


def image_of(pixels: imaging.Pixels) -> Image:
    """An image of (batch, height, width, channels)."""
    return Image(torch.from_numpy(pixels))


def mapped(function: Callable[..., imaging.Pixels], *inputs: Image | Mask) -> Image:
    """`function` of every picture of a batch; a batch of one goes with every other."""
    batches = (i.pixels if isinstance(i, Image) else i.values for i in inputs)
    return image_of(imaging.each(function, *(batch.numpy() for batch in batches)))
