"""Pictures of uniform noise."""

import numpy as np

from nodeforge.canvas import premultiplied


def noise(height, width, seed=0, opaque=False):
    """Premultiplied RGBA8."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    if opaque:
        pixels[..., 3] = 255
    return premultiplied(pixels)
