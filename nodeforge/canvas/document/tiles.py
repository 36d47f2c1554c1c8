"""Pictures as sparse tiles of 256 pixels, copied on write.

A tile that is in a `Tiles` never changes; whoever paints takes a `Draft`, which copies a tile
the first time it is written to. So an undo, an autosave and the view can hold tiles for free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self

import numpy as np

from nodeforge.imaging import Box, Bytes

TILE = 256

Key = tuple[int, int]
"""Column and row of a tile; tile (1, 0) begins at pixel (256, 0). Both may be negative."""


class Part(NamedTuple):
    """What a box takes of one tile: rows and columns there, and in the box."""

    key: Key
    there: tuple[slice, slice]
    here: tuple[slice, slice]


def parts(box: Box) -> Iterator[Part]:
    """The tiles under `box`, row by row; none under an empty one."""
    if box.width <= 0 or box.height <= 0:
        return
    for row in range(box.top // TILE, -(-box.bottom // TILE)):
        rows, top = _overlap(row, box.top, box.bottom)
        for column in range(box.left // TILE, -(-box.right // TILE)):
            columns, left = _overlap(column, box.left, box.right)
            yield Part((column, row), (rows, columns), (top, left))


def _overlap(tile: int, start: int, stop: int) -> tuple[slice, slice]:
    origin = tile * TILE
    first, last = max(start, origin), min(stop, origin + TILE)
    return slice(first - origin, last - origin), slice(first - start, last - start)


def box_of(key: Key) -> Box:
    """The pixels of a tile."""
    return Box(key[0] * TILE, key[1] * TILE, TILE, TILE)


def within(key: Key, there: tuple[slice, slice]) -> Box:
    """The pixels of some rows and columns of a tile."""
    rows, columns = there
    size = (columns.stop - columns.start, rows.stop - rows.start)
    return Box(key[0] * TILE + columns.start, key[1] * TILE + rows.start, *size)


class Tiles:
    """A picture without borders; where there is no tile it is transparent, or 0.

    Args:
        channels: 4: premultiplied RGBA, tiles of (256, 256, 4); 1: a mask, tiles of (256, 256).
            All are uint8, rows contiguous.
        tiles: By column and row; they are not to be written to again.
    """

    def __init__(self, channels: int = 4, tiles: Mapping[Key, Bytes] | None = None) -> None:
        self.channels = channels
        self._tiles: dict[Key, Bytes] = dict(tiles or {})

    @classmethod
    def of(cls, pixels: Bytes, left: int = 0, top: int = 0) -> Tiles:
        """Tiles that show `pixels`, premultiplied RGBA or a mask, with a corner at a place."""
        draft = Draft(cls(1 if pixels.ndim == 2 else 4))
        draft.write(Box(left, top, pixels.shape[1], pixels.shape[0]), pixels)
        return draft.frozen()

    @classmethod
    def plain(cls, box: Box, colour: tuple[int, int, int, int]) -> Tiles:
        """Tiles of one colour in a box, premultiplied RGBA8; whole ones share their bytes."""
        whole = np.full((TILE, TILE, 4), colour, np.uint8)
        whole.flags.writeable = False
        tiles: dict[Key, Bytes] = {}
        for key, there, _ in parts(box):
            tiles[key] = whole
            if within(key, there) != box_of(key):
                tile = np.zeros_like(whole)
                tile[there] = colour
                tile.flags.writeable = False
                tiles[key] = tile
        return cls(4, tiles)

    def __len__(self) -> int:
        return len(self._tiles)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._tiles)

    def items(self) -> Iterable[tuple[Key, Bytes]]:
        return self._tiles.items()

    def get(self, key: Key) -> Bytes | None:
        """The tile there, not to be written to; None where nothing is."""
        return self._tiles.get(key)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one tile."""
        return (TILE, TILE) if self.channels == 1 else (TILE, TILE, self.channels)

    @property
    def bytes(self) -> int:
        return len(self._tiles) * TILE * TILE * self.channels

    def read(self, box: Box) -> Bytes:
        """A copy of the pixels in `box`: (height, width, 4), or (height, width) of a mask."""
        out = np.zeros((box.height, box.width, *self.shape[2:]), np.uint8)
        for key, there, here in parts(box):
            tile = self._tiles.get(key)
            if tile is not None:
                out[here] = tile[there]
        return out

    def extent(self) -> Box | None:
        """The rectangle around all tiles; None where there are none."""
        if not self._tiles:
            return None
        columns, rows = zip(*self._tiles, strict=True)
        left, top = min(columns), min(rows)
        size = (max(columns) + 1 - left, max(rows) + 1 - top)
        return Box(left * TILE, top * TILE, size[0] * TILE, size[1] * TILE)

    def bounds(self) -> Box | None:
        """The smallest rectangle around all that is not transparent, or not 0."""
        found: Box | None = None
        for key, tile in self._tiles.items():
            seen = changed_part(None, tile)
            if seen is not None:
                found = within(key, seen).around(found)
        return found

    def replaced(self, tiles: Mapping[Key, Bytes | None]) -> Tiles:
        """These tiles, with some others; None takes one away."""
        kept = {key: tile for key, tile in {**self._tiles, **tiles}.items() if tile is not None}
        return Tiles(self.channels, kept)


class Draft(Tiles):
    """Tiles being painted on. Each is copied when it is first written to."""

    def __init__(self, base: Tiles) -> None:
        super().__init__(base.channels, base._tiles)
        self.base = base
        self._own: set[Key] = set()

    def writable(self, key: Key) -> Bytes:
        """The tile at `key`, to write to."""
        if key in self._own:
            return self._tiles[key]
        before = self._tiles.get(key)
        tile = np.zeros(self.shape, np.uint8) if before is None else before.copy()
        self._own.add(key)
        self._tiles[key] = tile
        return tile

    def write(self, box: Box, pixels: Bytes) -> Self:
        """Put `pixels`, of the box's size, there."""
        for key, there, here in parts(box):
            self.writable(key)[there] = pixels[here]
        return self

    def clear(self, box: Box) -> Self:
        """Make all in `box` transparent, or 0."""
        for key, there, _ in parts(box):
            if key in self._tiles:
                self.writable(key)[there] = 0
        return self

    def frozen(self) -> Tiles:
        """The result, without empty tiles; the base itself where nothing changed."""
        done = dict(self._tiles)
        changed = False
        for key in self._own:
            tile, before = done[key], self.base.get(key)
            if before is not None and np.array_equal(tile, before):
                done[key] = before
                continue
            changed |= before is not None
            if tile.any():
                tile.flags.writeable = False
                changed = True
            else:
                del done[key]
        return Tiles(self.channels, done) if changed else self.base


def changed_part(before: Bytes | None, after: Bytes | None) -> tuple[slice, slice] | None:
    """The rows and columns of a tile that hold all that differs; None is an empty tile."""
    first, second = _whole_pixels(before), _whole_pixels(after)
    differs = np.asarray(first != second)
    if differs.ndim == 0:
        return None
    rows = np.flatnonzero(differs.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(differs.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _whole_pixels(tile: Bytes | None) -> np.ndarray | int:
    """A tile with a pixel as one number."""
    if tile is None:
        return 0
    return tile if tile.ndim == 2 else tile.view(np.uint32)[..., 0]
