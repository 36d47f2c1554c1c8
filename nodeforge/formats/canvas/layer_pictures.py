"""Pictures of the layers of an OpenRaster file: each decoded once, within a bound in all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import numpy as np

from nodeforge.canvas import LayerKind, Tiles, premultiplied
from nodeforge.canvas.document.tiles import Key
from nodeforge.errors import NodeForgeError
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.projects.archive import Archive
from nodeforge.imaging import Bytes, decode_bytes, picture_size

MOST_PICTURE = 512 * 2**20
"""Bytes of one file."""
MOST_HELD = 4 * 2**30
"""Bytes of all layers in memory."""
MOST_PIXELS = 2**30
"""Of all pictures, each counted once: what takes a minute, and in colour as much memory as
`MOST_HELD`."""


class LayerPictures:
    """Decodes pictures by their names in the archive; equal ones share their tiles.

    Args:
        archive: The file.
        names: Those of all layers.
        tell: Hears how much is decoded, 0..1; what it raises ends reading.

    Raises:
        TooLargeError: they have more than `MOST_PIXELS` by their headers; none is decoded.
    """

    def __init__(
        self, archive: Archive, names: Iterable[str], tell: Callable[[float], None]
    ) -> None:
        self._archive, self._tell = archive, tell
        self._held = self._done = self._expected = 0
        self._hashes: dict[str, bytes] = {}
        self._tiles: dict[tuple[bytes, bool], Tiles] = {}
        self._plain: dict[bytes, Bytes] = {}
        known = frozenset(archive.names())
        for name in names:
            if name in known and name not in self._hashes:
                self._look_at(name)

    def __contains__(self, name: str) -> bool:
        return name in self._hashes

    def tiles(self, name: str, kind: LayerKind) -> Tiles:
        """The pixels of a layer: premultiplied RGBA, or how opaque a mask is.

        Raises:
            PictureError: the picture is damaged.
            TooLargeError: all take more than `MOST_HELD`.
        """
        key = (self._hashes[name], kind is LayerKind.MASK)
        if key not in self._tiles:
            pixels = decode_bytes(self._archive.read(name, MOST_PICTURE))
            made = _mask(pixels) if kind is LayerKind.MASK else premultiplied(pixels)
            self._tiles[key] = self._shared(Tiles.of(made))
            if self._held > MOST_HELD:
                raise TooLargeError(f"has layers of more than {MOST_HELD // 2**30} GiB in all.")
            self.report(pixels.shape[0] * pixels.shape[1])
        return self._tiles[key]

    def report(self, pixels: int) -> None:
        """Tell of progress, after the work of so many pixels."""
        self._done += pixels
        self._tell(min(self._done / max(self._expected, 1), 1.0))

    def _look_at(self, name: str) -> None:
        content = self._archive.read(name, MOST_PICTURE)
        found = hashlib.sha256(content).digest()
        if found not in self._hashes.values():
            self._expect(_pixels_in(content))
        self._hashes[name] = found
        self._tell(0.0)

    def _expect(self, pixels: int) -> None:
        self._expected += pixels
        if self._expected > MOST_PIXELS:
            raise TooLargeError(f"has layers of more than {MOST_PIXELS:,} pixels in all.")

    def _shared(self, tiles: Tiles) -> Tiles:
        """`tiles`, where each of one colour is the same array as all others of that colour."""
        plain: dict[Key, Bytes | None] = {}
        for key, tile in tiles.items():
            pixels = tile if tile.ndim == 2 else tile.view(np.uint32)[..., 0]
            colour = pixels[0, 0].tobytes()
            if not bool((pixels == pixels[0, 0]).all()):
                self._held += tile.nbytes
                continue
            if colour not in self._plain:
                self._held += tile.nbytes
            plain[key] = self._plain.setdefault(colour, tile)
        return tiles.replaced(plain)


def _pixels_in(content: bytes) -> int:
    """How many pixels a picture has, by its header; what is damaged is told when it is decoded."""
    try:
        width, height = picture_size(content)
    except NodeForgeError:
        return 0
    return width * height


def _mask(pixels: Bytes) -> Bytes:
    """How opaque a picture is, (height, width)."""
    opaque = np.full(pixels.shape[:2], 255, np.uint8)
    return np.ascontiguousarray(pixels[..., 3] if pixels.shape[2] == 4 else opaque)
