"""Scales the whole canvas: layers, masks and the selection.

Tile by tile, so that only the result takes memory; the filter's window reads over the tiles'
edges, so that none is seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from nodeforge.canvas.document.canvas import State
from nodeforge.canvas.document.tiles import Key, Tiles, box_of, parts
from nodeforge.imaging import Box, Bytes, Method, resize_part

_REACH = 4
"""Pixels beyond a part that a filter reads, at the smaller of the two sizes."""

Tell = Callable[[float], None]


def scaled(
    state: State,
    width: int,
    height: int,
    method: Method = Method.LANCZOS,
    tell: Tell = lambda _: None,
) -> State:
    """`state` in another size. It may take seconds.

    Args:
        tell: Hears how much is done, 0..1; what it raises ends it.

    Raises:
        CanvasSizeError: a side is 0 or too long.
    """
    size = State(width, height)  # refuses what is not possible
    if size.box == state.box:
        return state
    work = _Work(state.box, size.box, method, tell, sum(len(one.tiles) for one in state.layers))
    layers = tuple(
        replace(
            layer,
            tiles=work.made(layer.tiles, layer.offset),
            offset=(0, 0),
            origin=None,
        )
        for layer in state.layers
    )
    chosen = state.selection and work.made(state.selection, (0, 0))
    return replace(
        state,
        width=width,
        height=height,
        layers=layers,
        selection=chosen if chosen else None,
    )


@dataclass
class _Work:
    """One picture from one size to another.

    Args:
        before, after: The canvas in both sizes.
        count: Tiles of all layers.
    """

    before: Box
    after: Box
    method: Method
    tell: Tell
    count: int
    done: float = 0.0

    @property
    def across(self) -> float:
        return self.after.width / self.before.width

    @property
    def down(self) -> float:
        return self.after.height / self.before.height

    def made(self, tiles: Tiles, offset: tuple[int, int]) -> Tiles:
        """The tiles of a layer that lies at an offset; the result lies at none."""
        bounds = tiles.bounds()
        if bounds is None:
            return Tiles(tiles.channels)
        limit = self._limit(bounds.moved(*offset))
        keys = sorted(self._touched(tiles, offset))
        share = len(tiles) / max(self.count, 1) / len(keys)
        found: dict[Key, Bytes] = {}
        for key in keys:
            self.tell(min(self.done, 1.0))
            self.done += share
            tile = self._tile(tiles, offset, limit, key)
            if tile.any():
                tile.flags.writeable = False
                found[key] = tile
        return Tiles(tiles.channels, found)

    def _limit(self, bounds: Box) -> Box:
        """What is read at most: the canvas, whose border stays sharp, and where the layer passes
        it, all of the layer and the emptiness around it.
        """
        room_x, room_y = self._reach(self.across) + 1, self._reach(self.down) + 1
        canvas = self.before
        left = bounds.left - room_x if bounds.left < canvas.left else canvas.left
        top = bounds.top - room_y if bounds.top < canvas.top else canvas.top
        right = bounds.right + room_x if bounds.right > canvas.right else canvas.right
        bottom = bounds.bottom + room_y if bounds.bottom > canvas.bottom else canvas.bottom
        return Box(left, top, right - left, bottom - top)

    def _touched(self, tiles: Tiles, offset: tuple[int, int]) -> set[Key]:
        """Where something may come to lie."""
        found: set[Key] = set()
        for key in tiles:
            box = box_of(key).moved(*offset)
            left = math.floor(box.left * self.across) - _REACH
            top = math.floor(box.top * self.down) - _REACH
            right = math.ceil(box.right * self.across) + _REACH
            bottom = math.ceil(box.bottom * self.down) + _REACH
            found |= {part.key for part in parts(Box(left, top, right - left, bottom - top))}
        return found

    def _tile(self, tiles: Tiles, offset: tuple[int, int], limit: Box, key: Key) -> Bytes:
        out = Tiles(tiles.channels).read(box_of(key))
        area = self._inside(box_of(key), limit)
        if area is None:
            return out
        ends = (
            *(area.left / self.across, area.top / self.down),
            *(area.right / self.across, area.bottom / self.down),
        )
        read = self._read_box(ends, limit)
        part = (
            *(max(ends[0] - read.left, 0), max(ends[1] - read.top, 0)),
            *(min(ends[2] - read.left, read.width), min(ends[3] - read.top, read.height)),
        )
        pixels = tiles.read(read.moved(-offset[0], -offset[1]))
        if pixels.any():
            made = resize_part(pixels, part, area.width, area.height, self.method)
            top, left = area.top - key[1] * out.shape[0], area.left - key[0] * out.shape[1]
            out[top : top + area.height, left : left + area.width] = made
        return out

    def _inside(self, tile: Box, limit: Box) -> Box | None:
        """The whole pixels of a tile that come from within the limit."""
        left, top = math.ceil(limit.left * self.across), math.ceil(limit.top * self.down)
        right, bottom = round(limit.right * self.across, 6), round(limit.bottom * self.down, 6)
        within = Box(left, top, math.floor(right) - left, math.floor(bottom) - top)
        return tile.overlap(within)

    def _read_box(self, ends: tuple[float, float, float, float], limit: Box) -> Box:
        """The pixels that a part, and the filter around it, are made of."""
        x, y = self._reach(self.across), self._reach(self.down)
        left, top = math.floor(ends[0]) - x, math.floor(ends[1]) - y
        right, bottom = math.ceil(ends[2]) + x, math.ceil(ends[3]) + y
        found = Box(left, top, right - left, bottom - top).overlap(limit)
        assert found is not None, "a part lies within the limit"
        return found

    def _reach(self, factor: float) -> int:
        return math.ceil(_REACH / min(factor, 1.0))
