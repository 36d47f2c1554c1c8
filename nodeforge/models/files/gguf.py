"""Reads the header of a GGUF file (llama.cpp's format, versions 2 and 3), and no weight.

Every count and place that the header tells is checked against the file, as in `header`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from nodeforge.models.errors import CorruptModelError
from nodeforge.models.files.gguf_names import in_transformers_names
from nodeforge.models.files.stored_types import GGUF_TYPES, Entry, stored_bytes

MAGIC = b"GGUF"
LIMIT = 100_000_000
"""Bytes a header may have, a tokenizer's words included."""
_FIRST_READ = 2**20
_VERSIONS = (2, 3)
_SIMPLE = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_TEXT, _LIST = 8, 9
_MOST_SIDES = 8
_KEPT = 64
"""Values of lists that are kept; a tokenizer's words are passed over."""
_ARCHITECTURE, _ALIGNMENT = "general.architecture", "general.alignment"
_SHAPES = "comfy.gguf.orig_shape."
"""Of tensors that were given other sides to be stored in blocks (city96's converter)."""


class GgufHeader(NamedTuple):
    """What a GGUF file says of itself.

    Args:
        metadata: Its texts by name.
        tensors: By their names in transformers, or as the file has them.
        raw: The header's bytes.
        first: Where the weights begin, bytes from the file's start.
    """

    metadata: Mapping[str, str]
    tensors: Mapping[str, Entry]
    raw: bytes
    first: int


class _ShortError(Exception):
    """The bytes that were read so far end within a value."""


def read_gguf(path: Path, file: BinaryIO, size: int) -> GgufHeader:
    """The header of `file`, which begins with `MAGIC`.

    Args:
        path: Its place, for errors.
        file: Open, anywhere.
        size: Bytes of the whole file.

    Raises:
        CorruptModelError: it is cut short, or the header is false.
    """
    wanted = _FIRST_READ
    while True:
        file.seek(0)
        raw = file.read(min(wanted, LIMIT))
        try:
            return _Parser(path, raw, size).parse()
        except _ShortError:
            if len(raw) == size:
                raise CorruptModelError(path, "is cut short within its header.") from None
            if len(raw) >= LIMIT:
                raise CorruptModelError(path, f"has a header of more than {LIMIT} bytes.") from None
            wanted *= 4


class _Parser:
    def __init__(self, path: Path, raw: bytes, size: int) -> None:
        self._path = path
        self._raw = raw
        self._size = size
        self._at = len(MAGIC)

    def parse(self) -> GgufHeader:
        version, count, keys = self._take("<I"), self._take("<Q"), self._take("<Q")
        if version not in _VERSIONS:
            raise self._false(f"is of GGUF version {version}; 2 and 3 are read.")
        if max(count, keys) > LIMIT // 12:  # of the shortest entries
            raise self._false(f"claims {count} tensors and {keys} values in its header.")
        told = dict(self._pair() for _ in range(keys))
        infos = [self._info() for _ in range(count)]
        alignment = told.get(_ALIGNMENT, 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 2**16:
            raise self._false(f"claims an alignment of {alignment}.")
        first = -(-self._at // alignment) * alignment
        tensors = self._checked(infos, told, self._size - first)
        texts = {name: value for name, value in told.items() if isinstance(value, str)}
        named = in_transformers_names(texts.get(_ARCHITECTURE, ""), tensors)
        return GgufHeader(texts, named, self._raw[: self._at], first)

    def _checked(
        self, infos: list[tuple[str, list[int], int, int]], told: Mapping[str, Any], held: int
    ) -> dict[str, Entry]:
        tensors: dict[str, Entry] = {}
        for name, sides, kind, start in infos:
            if kind not in GGUF_TYPES:
                raise self._false(f"has a tensor of an unknown type: '{name[:200]}', {kind}.")
            dtype, block = GGUF_TYPES[kind]
            taken = stored_bytes(dtype, sides)
            if taken is None or name in tensors or (sides and sides[0] % block.numbers):
                raise self._false(f"describes its tensor '{name[:200]}' falsely.")
            if start + taken > held:
                raise self._false(f"is cut short: the tensor '{name[:200]}' is not there whole.")
            shape = told.get(f"{_SHAPES}{name}", sides[::-1])
            if not isinstance(shape, list) or prod(shape) != prod(sides):
                raise self._false(f"describes its tensor '{name[:200]}' falsely.")
            tensors[name] = Entry(dtype, tuple(shape), (start, start + taken))
        at = 0
        for start, end in sorted(entry.span for entry in tensors.values()):
            if start < at:
                raise self._false("has tensors that overlap.")
            at = end
        return tensors

    def _pair(self) -> tuple[str, Any]:
        return self._text(), self._value(self._take("<I"))

    def _info(self) -> tuple[str, list[int], int, int]:
        """Name, sides (the one that changes fastest first), type, and where it starts."""
        name, count = self._text(), self._take("<I")
        if count > _MOST_SIDES:
            raise self._false(f"claims a tensor of {count} sides: '{name[:200]}'.")
        sides = [self._take("<Q") for _ in range(count)]
        return name, sides, self._take("<I"), self._take("<Q")

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind == _LIST:
            return self._list()
        if kind not in _SIMPLE:
            raise self._false(f"has a value of an unknown type: {kind}.")
        return self._take(_SIMPLE[kind])

    def _list(self) -> list[Any]:
        kind, count = self._take("<I"), self._take("<Q")
        if kind in _SIMPLE:
            form = _SIMPLE[kind]
            kept = [self._take(form) for _ in range(min(count, _KEPT))]
            self._skip((count - len(kept)) * struct.calcsize(form))
            return kept
        if kind != _TEXT or count > LIMIT // 8:
            raise self._false(f"has a list of {count} values of an unknown type: {kind}.")
        for _ in range(count):
            self._skip(self._take("<Q"))
        return []

    def _text(self) -> str:
        length = self._take("<Q")
        start = self._at
        self._skip(length)
        return self._raw[start : self._at].decode("utf-8", "replace")

    def _take(self, form: str) -> Any:
        start = self._at
        self._skip(struct.calcsize(form))
        return struct.unpack_from(form, self._raw, start)[0]

    def _skip(self, count: int) -> None:
        self._at += count
        if self._at > self._size:
            raise self._false("is cut short within its header.")
        if self._at > len(self._raw):
            raise _ShortError

    def _false(self, fact: str) -> CorruptModelError:
        return CorruptModelError(self._path, fact)
