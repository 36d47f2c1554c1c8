"""Writes model files of real size with random weights, in the forms that people have.

Nothing of a file is in memory as a whole: its numbers are cut from pools.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import torch
from torch import Tensor

from nodeforge.models.files.stored_types import GGUF_TYPES, stored_bytes

ROTATED = 256
"""Inputs that int8 weights are turned by together."""
_ALIGNED = 32
_SPREAD, _PART = 64.0, 0.02
"""Of the 8-bit numbers, and of the weights that they mean."""
_POOL = 2**24
_Part = tuple[str, str, list[int]]
"""Name, type in the file, and shape."""


def write_file(file: BinaryIO, state: Mapping[str, Tensor], form: str) -> None:
    """A model file.

    Args:
        file: Is written to.
        state: Names and shapes; numbers are random.
        form: ``bf16``, ``fp8`` (scaled), ``int8`` (``int8_convrot``), or a type of GGUF's, as
            ``Q4_0``.
    """
    blocks = form in dict(GGUF_TYPES.values())
    parts = [part for name, each in state.items() for part in _parts(name, each, form)]
    (_gguf_header if blocks else _header)(file, parts)
    pools = _pools()
    for number, (name, kind, shape) in enumerate(parts):
        count = stored_bytes(kind, shape) or 0
        if name.endswith(".comfy_quant"):
            file.write(_MARK)
            continue
        # norms are near one, or nothing would be left of what they multiply
        pool = pools["ones" if kind == "BF16" and "norm" in name else kind]
        each = 18 if kind == "Q4_0" else 4
        start = 4 * 9 * 1009 * number // each * each % (len(pool) // 2 // each * each)
        start = start if len(pool) > 4 else 0
        while count:
            piece = pool[start : start + count]
            file.write(memoryview(piece.numpy()))  # pyright: ignore[reportArgumentType]
            count, start = count - len(piece), 0
        if blocks:
            file.write(bytes(-file.tell() % _ALIGNED))


_MARK = json.dumps(
    {"format": "int8_tensorwise", "convrot": True, "convrot_groupsize": ROTATED}
).encode()


def _parts(name: str, tensor: Tensor, form: str) -> Iterator[_Part]:
    """What stands in a file for one weight: itself, and what tells its scale."""
    shape = list(tensor.shape)
    layer = name.removesuffix(".weight")
    matrix = tensor.ndim == 2 and layer != name
    if form == "fp8" and matrix:
        yield name, "F8_E4M3", shape
        yield f"{layer}.weight_scale", "F32", []
    elif form == "int8" and matrix and shape[1] % ROTATED == 0:
        yield name, "I8", shape
        yield f"{layer}.weight_scale", "F32", [shape[0], 1]
        yield f"{layer}.comfy_quant", "U8", [len(_MARK)]
    elif form.startswith("Q") and matrix and shape[1] % 256 == 0:
        yield name, form, shape
    else:
        yield name, "BF16", shape


def _header(file: BinaryIO, parts: list[_Part]) -> None:
    header: dict[str, Any] = {}
    at = 0
    for name, kind, shape in parts:
        size = stored_bytes(kind, shape) or 0
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    file.write(len(told).to_bytes(8, "little") + told)


def _gguf_header(file: BinaryIO, parts: list[_Part]) -> None:
    numbers = {name: number for number, (name, _) in GGUF_TYPES.items()}
    file.write(b"GGUF" + struct.pack("<IQQ", 3, len(parts), 0))
    at = 0
    for name, kind, shape in parts:
        told = name.encode()
        file.write(struct.pack("<Q", len(told)) + told + struct.pack("<I", len(shape)))
        file.write(b"".join(struct.pack("<Q", side) for side in shape[::-1]))
        file.write(struct.pack("<IQ", numbers[kind], at))
        at += -(-(stored_bytes(kind, shape) or 0) // _ALIGNED) * _ALIGNED
    file.write(bytes(-file.tell() % _ALIGNED))


def _pools() -> dict[str, Tensor]:
    """Bytes of random numbers that the tensors of a file are cut from, by type."""
    chance = torch.Generator().manual_seed(0)
    numbers = torch.randn(_POOL, generator=chance)
    scale = torch.full((4096,), _PART / _SPREAD)
    blocks = torch.randint(0, 256, (_POOL // 18, 18), generator=chance, dtype=torch.uint8)
    blocks[:, :2] = torch.full((len(blocks), 1), _PART / 4).half().view(torch.uint8)
    return {
        "F8_E4M3": (numbers * _SPREAD).to(torch.float8_e4m3fn).view(torch.uint8),
        "I8": (numbers * _SPREAD / 2).clamp(-127, 127).to(torch.int8).view(torch.uint8),
        "BF16": (numbers * _PART).bfloat16().view(torch.uint8),
        "ones": (1 + numbers * _PART).bfloat16().view(torch.uint8),
        "F32": scale.view(torch.uint8),
        "Q4_0": blocks.flatten(),
    }
