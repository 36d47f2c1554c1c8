"""Tiles as bytes, named by what they hold, so that only new ones are ever written."""

from __future__ import annotations

import hashlib
import re
import weakref
import zlib
from collections.abc import Callable
from typing import Protocol

import numpy as np

from nodeforge.canvas import TILE
from nodeforge.formats.projects.archive import DamagedArchiveError
from nodeforge.imaging import Bytes

is_sha256 = re.compile("[0-9a-f]{64}").fullmatch

_LEVEL = 1
"""zlib: level 6 takes three times as long for a tenth less."""


class Shelf(Protocol):
    """Where parts of a project are kept by name: a zip file, or a folder."""

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        """Have the part called `name`, by `make` where it is new."""
        ...


class TileNames:
    """The SHA-256 of tiles. Each is worked out once, as a tile never changes."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Bytes], str]] = {}

    def of(self, tile: Bytes) -> str:
        known = self._known.get(id(tile))
        if known is not None and known[0]() is tile:
            return known[1]
        name = hashlib.sha256(tile.data).hexdigest()
        place = id(tile)
        gone = weakref.ref(tile, lambda _: self._known.pop(place, None))
        self._known[place] = (gone, name)
        return name


def pack(tile: Bytes) -> bytes:
    return zlib.compress(tile.data, _LEVEL)


def unpack(packed: bytes, name: str, channels: int) -> Bytes:
    """The tile in `packed`, which must be the one called `name`.

    Raises:
        DamagedArchiveError: it is another, or none.
    """
    shape = (TILE, TILE) if channels == 1 else (TILE, TILE, channels)
    size = TILE * TILE * channels
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(packed, size + 1)
    except zlib.error as error:
        raise DamagedArchiveError("is damaged.", place=f"tile {name[:12]}") from error
    if len(content) != size or hashlib.sha256(content).hexdigest() != name:
        raise DamagedArchiveError("is not what its name says.", place=f"tile {name[:12]}")
    return np.frombuffer(content, np.uint8).reshape(shape)
