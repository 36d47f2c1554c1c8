"""Small pictures with something in them."""

import numpy as np
import pytest


@pytest.fixture
def picture():
    """A colourful picture of a size: every 8-bit value as likely."""

    def make(width=12, height=9, channels=3, seed=0):
        values = np.random.default_rng(seed).integers(0, 256, (height, width, channels))
        return values.astype(np.float32) / np.float32(255)

    return make


@pytest.fixture
def disc():
    """A round mask."""

    def make(width=40, height=30, radius=6.0):
        y, x = np.mgrid[:height, :width]
        return (np.hypot(x - width // 2, y - height // 2) <= radius).astype(np.float32)

    return make
