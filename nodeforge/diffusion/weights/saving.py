"""Writes a model smaller: its large matrices in 8 bits, as other programs read them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.packing import rotated
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import INT8_FORMAT, VAE_PREFIXES, Kind, read_header, recognise
from nodeforge.models.files.stored_types import stored_bytes
from nodeforge.settings.whole_file import write_whole

FORMS = ("int8", "fp8")
"""Whole numbers of 8 bits, of inputs that are rotated; or floats of 8 bits with a scale."""
_KINDS = (Kind.UNET, Kind.CHECKPOINT, Kind.TEXT_ENCODER)
_ROTATED = 256
_LEAST = 2**16
"""Numbers of a matrix that is worth it."""
_PLAIN = ("F32", "F16", "BF16")
_IN_BLOCK = re.compile(r"\.\d+\.")
_MOST_FLOAT8, _MOST_INT8 = 448.0, 127.0
_ROWS = 2**22
"""Numbers that are rounded at once."""


@dataclass(frozen=True)
class _Part:
    """What is written for a tensor of the source, one after the other: name, type, shape."""

    stored: StoredTensor
    entries: tuple[tuple[str, str, tuple[int, ...]], ...]


def save_smaller(path: Path, target: Path, form: str) -> int:
    """Write the model at `path` to `target` with the matrices of its blocks in 8 bits.

    Everything else stays as it is. Scales and marks are ComfyUI's (``weight_scale``,
    ``comfy_quant``).

    Args:
        path: A safetensors file of a denoiser, text encoder or whole checkpoint.
        target: The new file.
        form: One of `FORMS`.

    Returns:
        How many matrices are in 8 bits now.

    Raises:
        LoadingError: it is of another kind, or its weights are small already.
        ModelFileError: a file is damaged, or cannot be read.
    """
    _check(path)
    metadata = read_header(path).metadata
    parts = [_part(name, stored, form) for name, stored in stored_tensors(path).items()]
    small = sum(len(part.entries) > 1 for part in parts)
    if not small:
        raise LoadingError(
            "has no large matrix in a numbered block, so nothing would be smaller.",
            place=str(path),
            way_out="Use it as it is.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, lambda file: _write(file, parts, metadata, form))
    return small


def _check(path: Path) -> None:
    info = recognise(path)
    if path.is_dir() or info.kind not in _KINDS:
        raise LoadingError(
            "is no file of a denoiser, a text encoder or a whole checkpoint.",
            place=str(path),
            way_out="Choose such a .safetensors file.",
        )
    if info.quantisation:
        raise LoadingError(
            f"has weights of {info.quantisation} already.",
            place=str(path),
            way_out="Choose the model in 16 or 32 bits.",
        )


def _is_large(name: str, stored: StoredTensor, form: str) -> bool:
    """Whether a tensor is a matrix of a numbered block, outside the VAE, that can take the form."""
    if not name.endswith(".weight") or len(stored.shape) != 2 or not _IN_BLOCK.search(name):
        return False
    if name.startswith(tuple(filter(None, VAE_PREFIXES))) or stored.dtype not in _PLAIN:
        return False
    fits = form != "int8" or stored.shape[1] % _ROTATED == 0
    return fits and math.prod(stored.shape) >= _LEAST


def _part(name: str, stored: StoredTensor, form: str) -> _Part:
    if not _is_large(name, stored, form):
        return _Part(stored, ((name, stored.dtype, stored.shape),))
    layer = name.removesuffix(".weight")
    scale = () if form == "fp8" else (stored.shape[0], 1)
    kind = "F8_E4M3" if form == "fp8" else "I8"
    return _Part(
        stored,
        (
            (name, kind, stored.shape),
            (f"{layer}.weight_scale", "F32", scale),
            (f"{layer}.comfy_quant", "U8", (len(_mark(form)),)),
        ),
    )


def _mark(form: str) -> bytes:
    told: dict[str, Any] = {"format": "float8_e4m3fn"}
    if form == "int8":
        told = {"format": INT8_FORMAT, "convrot": True, "convrot_groupsize": _ROTATED}
    return json.dumps(told).encode()


def _write(file: IO[bytes], parts: list[_Part], metadata: Mapping[str, str], form: str) -> None:
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    at = 0
    for part in parts:
        for name, kind, shape in part.entries:
            size = stored_bytes(kind, shape)
            assert size is not None
            header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
            at += size
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    file.write(len(told).to_bytes(8, "little") + told)
    for part in parts:
        for tensor in _numbers(part, form):
            file.write(tensor.contiguous().flatten().view(torch.uint8).numpy().data)


def _numbers(part: _Part, form: str) -> Iterator[Tensor]:
    """The tensors of a part, in order."""
    if len(part.entries) == 1:
        yield part.stored.read_bytes()
        return
    whole = part.stored.read(torch.float32)
    make = _in_fp8 if form == "fp8" else _in_int8
    yield from make(whole)
    yield torch.frombuffer(bytearray(_mark(form)), dtype=torch.uint8)


def _in_fp8(whole: Tensor) -> tuple[Tensor, Tensor]:
    scale = (whole.abs().amax() / _MOST_FLOAT8).clamp(min=torch.finfo(torch.float32).tiny)
    rounded = torch.empty(whole.shape, dtype=torch.float8_e4m3fn)
    for into, rows in zip(_pieces(rounded), _pieces(whole), strict=True):
        into.copy_(rows / scale)
    return rounded, scale.reshape(1)


def _in_int8(whole: Tensor) -> tuple[Tensor, Tensor]:
    rounded = torch.empty(whole.shape, dtype=torch.int8)
    scales = torch.empty((len(whole), 1))
    pieces = zip(_pieces(rounded), _pieces(scales, whole), _pieces(whole), strict=True)
    for into, scale, rows in pieces:
        turned = rotated(rows, _ROTATED)
        scale.copy_((turned.abs().amax(1, keepdim=True) / _MOST_INT8).clamp(min=1e-12))
        into.copy_((turned / scale).round().clamp(-_MOST_INT8, _MOST_INT8))
    return rounded, scales


def _pieces(rows: Tensor, like: Tensor | None = None) -> tuple[Tensor, ...]:
    columns = (rows if like is None else like).shape[1]
    return rows.split(max(_ROWS // columns, 1))
