"""Real names and shapes of well-known models, and a writer of files that have them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from nodeforge.models.files.stored_types import stored_bytes

Shapes = Mapping[str, Sequence[int]]
NAMES = Path(__file__).parent.parent / "models" / "data" / "names.json.gz"


def real_names() -> dict[str, dict[str, list[int]]]:
    """Names and shapes of real models: ``sd15_ldm``, ``sd15_vae``, ``sdxl_unet``, ..."""
    return json.loads(gzip.decompress(NAMES.read_bytes()))


def write_safetensors(
    path: Path,
    shapes: Shapes,
    dtype: str = "F16",
    metadata: Mapping[str, str] | None = None,
    fill: bytes = b"",
    dtypes: Mapping[str, str] | None = None,
) -> Path:
    """A safetensors file with these tensors, zeros (a sparse file) after `fill`.

    `dtypes` are of tensors whose names end so; the others are of `dtype`.
    """
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in shapes.items():
        own = next((d for end, d in (dtypes or {}).items() if name.endswith(end)), dtype)
        size = stored_bytes(own, shape)
        assert size is not None, (own, shape)
        header[name] = {"dtype": own, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw + fill)
        file.truncate(8 + len(raw) + at)
    return path
