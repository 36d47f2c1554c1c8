"""Reads the header of a safetensors or GGUF file, and nothing of its weights.

Every lie that the header can tell about its file is refused here, so that later readers may
trust it: the loader maps the file into memory.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from nodeforge.models.errors import (
    CorruptModelError,
    ModelFileError,
    OtherKindError,
    PickleRefusedError,
)
from nodeforge.models.files import gguf
from nodeforge.models.files.stored_types import STORED, Entry, stored_bytes
from nodeforge.values.file_kinds import START, file_kind

LIMIT = 100_000_000
"""Bytes a header may have: the format's own limit."""

_METADATA = "__metadata__"
_NONE = b'{"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}'
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class _Metadata(msgspec.Struct):
    told: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name=_METADATA)


_all = msgspec.json.Decoder(dict[str, Entry]).decode
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_entry = msgspec.json.Decoder(Entry).decode
_metadata = msgspec.json.Decoder(_Metadata).decode
_texts = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Header:
    """What a safetensors or GGUF file says of itself.

    Args:
        tensors: By name, in the file's order.
        sizes: Bytes of the tensors of each dtype.
        metadata: Text that its maker left.
        raw: The header's bytes.
        first: Where the weights begin, bytes from the file's start.
        size: Of the whole file, bytes.
    """

    tensors: Mapping[str, Entry]
    sizes: Mapping[str, int]
    metadata: Mapping[str, str]
    raw: bytes
    first: int
    size: int


def read_header(path: Path) -> Header:
    """The header of `path`, checked against the file's size.

    Raises:
        PickleRefusedError: it is a pickle, whatever its name says.
        CorruptModelError: it is cut short, or the header is false.
        ModelFileError: it cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelFileError(
                "is no file: a pipe, a device or a folder.",
                place=str(path),
                way_out="Choose a file, or save what it gives into one.",
            )
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(gguf.MAGIC)) == gguf.MAGIC:
                return _of_gguf(gguf.read_gguf(path, file, size), size)
            file.seek(0)
            raw = _raw(path, file, size)
    except OSError as error:
        raise ModelFileError(
            f"cannot be read: {error.strerror or error}.",
            place=str(path),
            way_out="Choose a file that exists and may be read.",
        ) from error
    return _parse(path, raw, size)


def _of_gguf(found: gguf.GgufHeader, size: int) -> Header:
    sizes = Counter[str]()
    for entry in found.tensors.values():
        sizes[entry.dtype] += entry.span[1] - entry.span[0]
    return Header(found.tensors, sizes, found.metadata, found.raw, found.first, size)


def is_pickle(path: Path) -> bool:
    """Whether the file at `path` begins as pickles of models do."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False  # a pipe would be waited for
        with path.open("rb") as file:
            start = file.read(9)
    except OSError:  # a folder, or nothing: whoever reads it says so
        return False
    return start[8:] != b"{" and start.startswith(_PICKLES)


def _raw(path: Path, file: BinaryIO, size: int) -> bytes:
    start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] != b"{" and start.startswith(_PICKLES):
        raise PickleRefusedError(path)
    if len(start) < 9 or start[8:] != b"{":
        raise _other_kind(path, start + file.read(START))
    if length > LIMIT:
        raise CorruptModelError(path, f"claims a header of {length} bytes; {LIMIT} are allowed.")
    if 8 + length > size:
        raise CorruptModelError(path, f"is cut short: {size} bytes do not hold its header.")
    file.seek(8)
    raw = file.read(length)
    if len(raw) != length:
        raise CorruptModelError(path, "is cut short within its header.")
    return raw


def _other_kind(path: Path, start: bytes) -> ModelFileError:
    if not start:
        return CorruptModelError(path, "is empty.")
    if kind := file_kind(start, path.name):
        return OtherKindError(path, kind)
    return CorruptModelError(path, "is not a safetensors file.")


def _parse(path: Path, raw: bytes, size: int) -> Header:
    try:
        metadata, told = _told(raw)
    except (ValueError, RecursionError) as error:
        raise CorruptModelError(path, _what_is_false(raw)) from error
    sizes = _sizes(path, told)
    first = 8 + len(raw)
    _check_whole(path, told, size - first)
    return Header(told, sizes, metadata, raw, first, size)


def _told(raw: bytes) -> tuple[dict[str, str], dict[str, Entry]]:
    """Metadata and entries. The metadata is cut out, so that all the rest has one form.

    Raises:
        ValueError: it is no JSON of this form.
    """
    cut = bytes(_metadata(raw).told) if _METADATA.encode() in raw else b""
    if not cut:
        return {}, _all(raw)
    told = _all(raw.replace(cut, _NONE, 1))
    del told[_METADATA]
    return {name: text for name, text in _texts(cut).items() if isinstance(text, str)}, told


def _what_is_false(raw: bytes) -> str:
    try:
        split = _split(raw)
    except (ValueError, RecursionError):
        return "has a header that is not JSON."
    for name, each in split.items():
        try:
            _texts(each) if name == _METADATA else _entry(each)
        except (ValueError, RecursionError):
            if name == _METADATA:
                return "has metadata that is not text by name."
            return _falsely(name)
    return "has a header that contradicts itself."


def _falsely(name: str) -> str:
    return f"describes its tensor '{name[:200]}' falsely."


def _sizes(path: Path, tensors: Mapping[str, Entry]) -> dict[str, int]:
    """Bytes by dtype. One loop with few calls: headers name thousands."""
    sizes = dict.fromkeys(STORED, 0)
    for name, entry in tensors.items():
        start, end = entry.span
        size = end - start
        if entry.dtype not in STORED or stored_bytes(entry.dtype, entry.shape) != size:
            raise CorruptModelError(path, _falsely(name))
        sizes[entry.dtype] += size
    return {dtype: size for dtype, size in sizes.items() if size}


def _check_whole(path: Path, tensors: Mapping[str, Entry], held: int) -> None:
    at = 0
    for start, end in sorted([entry.span for entry in tensors.values()]):
        if start != at:
            raise CorruptModelError(path, "has tensors that overlap or leave a gap.")
        at = end
    if at > held:
        raise CorruptModelError(path, f"is cut short: {held} of {at} bytes of weights are there.")
    if at < held:
        raise CorruptModelError(path, f"has {held - at} bytes that its header does not know.")
