"""Real names and shapes of well-known models, and a writer of files that have them."""

import gzip
import json
import math
from pathlib import Path

import pytest

from nodeforge.models.header import BITS
from nodeforge.settings import Settings


@pytest.fixture(scope="session")
def names():
    """Names and shapes of real models: ``sd15_ldm``, ``sd15_vae``, ``sdxl_unet``, ..."""
    file = Path(__file__).parent / "data" / "names.json.gz"
    return json.loads(gzip.decompress(file.read_bytes()))


@pytest.fixture
def write():
    return write_safetensors


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


def write_safetensors(path, shapes, dtype="F16", metadata=None, fill=b""):
    """A safetensors file with these tensors, zeros (a sparse file) after `fill`."""
    header, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape) * BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw + fill)
        file.truncate(8 + len(raw) + at)
    return path
