"""Shipped packs as the worker loads them, and pictures to feed them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nodeforge.api import Image, Mask
from nodeforge.worker.packs import load_pack

NODES = Path(__file__).parents[2] / "nodes"


@pytest.fixture(scope="session")
def nodes():
    """The functions of the image, mask, values and flow packs, by node type id."""
    packs = (load_pack(NODES / name) for name in ("image", "mask", "values", "graph"))
    return {type_id: made.function for pack in packs for type_id, made in pack.items()}


@pytest.fixture
def image():
    """A batch of pictures of 8-bit noise."""

    def make(width=40, height=30, batch=1, channels=3, seed=0):
        values = np.random.default_rng(seed).integers(0, 256, (batch, height, width, channels))
        return Image(torch.from_numpy(values.astype(np.float32) / np.float32(255)))

    return make


@pytest.fixture
def mask():
    """Masks with a box of ones."""

    def make(width=40, height=30, box=(10, 8, 12, 9), batch=1):
        values = torch.zeros(batch, height, width)
        left, top, wide, high = box
        values[:, top : top + high, left : left + wide] = 1
        return Mask(values)

    return make


class Run:
    """What image.save needs of a run."""

    def __init__(self, outputs, stamp):
        self.outputs = outputs
        self.stamp = stamp
        self.files = []

    def check(self):
        pass

    def saved(self, path):
        self.files.append(path)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "outputs", {"nodeforge": '{"format": 1}', "parameters": "a fox"})
