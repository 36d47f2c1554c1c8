"""Reads the header of a safetensors file, and nothing of its weights.

Every lie that the header can tell about its file is refused here, so that later readers may
trust it: the loader maps the file into memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from nodeforge.models.errors import CorruptModelError, ModelFileError, PickleRefusedError

LIMIT = 100_000_000
"""Bytes a header may have: the format's own limit."""

BITS: Mapping[str, int] = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U16": 16,
    "I16": 16,
    "F16": 16,
    "BF16": 16,
    "U32": 32,
    "I32": 32,
    "F32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
    "C64": 64,
}

_LARGEST_SIDE = 2**48
_place = itemgetter(2, 3)
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class Entry(NamedTuple):
    """One tensor: `start` and `end` are positions in the file, bytes."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself.

    Args:
        tensors: By name, in the file's order.
        metadata: Text that its maker left.
        raw: The header's bytes.
        size: Of the whole file, bytes.
    """

    tensors: Mapping[str, Entry]
    metadata: Mapping[str, str]
    raw: bytes
    size: int


def read_header(path: Path) -> Header:
    """The header of `path`, checked against the file's size.

    Raises:
        PickleRefusedError: it is a pickle, whatever its name says.
        CorruptModelError: it is cut short, or the header is false.
        ModelFileError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            raw = _raw(path, file, size)
    except OSError as error:
        raise ModelFileError(
            f"cannot be read: {error.strerror or error}.",
            place=str(path),
            way_out="Choose a file that exists and may be read.",
        ) from error
    return _parse(path, raw, size)


def _raw(path: Path, file: BinaryIO, size: int) -> bytes:
    start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] != b"{" and start.startswith(_PICKLES):
        raise PickleRefusedError(path)
    if len(start) < 9 or start[8:] != b"{":
        raise CorruptModelError(path, "is not a safetensors file.")
    if length > LIMIT:
        raise CorruptModelError(path, f"claims a header of {length} bytes; {LIMIT} are allowed.")
    if 8 + length > size:
        raise CorruptModelError(path, f"is cut short: {size} bytes do not hold its header.")
    raw = b"{" + file.read(length - 1)
    if len(raw) != length:
        raise CorruptModelError(path, "is cut short within its header.")
    return raw


def _parse(path: Path, raw: bytes, size: int) -> Header:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(path, "has a header that is not JSON.") from error
    if not isinstance(told, dict):
        raise CorruptModelError(path, "has a header that is not a JSON object.")
    metadata = told.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise CorruptModelError(path, "has metadata that is not text by name.")
    texts = {name: text for name, text in metadata.items() if isinstance(text, str)}
    first = 8 + len(raw)
    tensors = _entries(path, told, first)
    _check_whole(path, tensors, first, size)
    return Header(tensors, texts, raw, size)


def _entries(path: Path, told: Mapping[str, Any], first: int) -> dict[str, Entry]:
    """Each tensor's entry. One loop without calls: headers name thousands."""
    tensors: dict[str, Entry] = {}
    for name, entry in told.items():
        try:
            dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            bits = BITS[dtype]
            for side in shape:
                if type(side) is not int or not 0 <= side < _LARGEST_SIDE:
                    raise ValueError(side)
                bits *= side
            if type(start) is not int or type(end) is not int or start < 0:
                raise ValueError(start)
            if bits != (end - start) * 8:
                raise ValueError(bits)
        except (KeyError, TypeError, ValueError):
            fact = f"describes its tensor '{name[:200]}' falsely."
            raise CorruptModelError(path, fact) from None
        tensors[name] = Entry(dtype, tuple(shape), first + start, first + end)
    return tensors


def _check_whole(path: Path, tensors: Mapping[str, Entry], first: int, size: int) -> None:
    at = first
    for _, _, start, end in sorted(tensors.values(), key=_place):
        if start != at:
            raise CorruptModelError(path, "has tensors that overlap or leave a gap.")
        at = end
    if at > size:
        raise CorruptModelError(path, f"is cut short: {size} of {at} bytes are there.")
    if at < size:
        raise CorruptModelError(path, f"has {size - at} bytes that its header does not know.")
