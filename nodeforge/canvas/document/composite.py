"""Composites layers, for any rectangle, and caches the resulting tiles for the view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, reduce

import cv2
import numpy as np

from nodeforge.canvas.document.blending import blend_onto
from nodeforge.canvas.document.canvas import Canvas, Change, ChangeKind, State
from nodeforge.canvas.document.layer import PICTURE_KINDS, Layer
from nodeforge.canvas.document.nesting import Nested, nested, switched_on
from nodeforge.canvas.document.tiles import TILE, Draft, Key, Tiles, box_of, parts, within
from nodeforge.imaging import Box, Bytes, parse_colour

MASK_SHOWN = 0.5
"""How strongly the tint of a mask covers what is below."""

LEVELS = 6
"""Sizes that tiles are kept in: 1, 1/2, 1/4, ... 1/32."""

Choice = Callable[[State], Iterable[Layer]]


def visible(state: State) -> Iterator[Layer]:
    """What a person sees: all that is switched on, masks as tints."""
    return iter(switched_on(state.layers))


def pictured(state: State) -> Iterator[Layer]:
    """What makes the picture: visible picture and paint layers, and the groups they are in."""
    return (layer for layer in visible(state) if layer.kind in PICTURE_KINDS or layer.is_group)


def composite(layers: Iterable[Layer], box: Box) -> Bytes:
    """The layers, the first lowest, in a box of the canvas: premultiplied RGBA8.

    Whether they are visible does not count; masks show as tints. What is in a group is laid on
    nothing, and that on what is below the group, by the group's opacity and blend mode.
    """
    out = np.zeros((box.height, box.width, 4), np.uint8)
    _lay_nested(out, nested(layers), box)
    return out


def _lay_nested(base: Bytes, layers: list[Nested], box: Box) -> None:
    for each in layers:
        if each.layer.is_group:
            _lay_group(base, each, box)
            continue
        for key, there, here in parts(each.layer.local(box)):
            tile = each.layer.tiles.get(key)
            if tile is not None:
                _lay_layer(base[here], tile[there], each.layer)


def _lay_group(base: Bytes, group: Nested, box: Box) -> None:
    """Tile by tile, so that no group takes the memory of a whole canvas."""
    for key, there, here in parts(box):
        part = within(key, there)
        if _shows_nested(group, part):
            made = np.zeros((part.height, part.width, 4), np.uint8)
            _lay_nested(made, group.inside, part)
            blend_onto(base[here], made, group.layer.blend, group.layer.opacity)


def _shows_nested(one: Nested, box: Box) -> bool:
    return any(_shows_nested(each, box) for each in one.inside) or _shows(one.layer, box)


def composite_tiles(
    layers: Sequence[Layer], box: Box | None = None, check: Callable[[], object] = lambda: None
) -> Tiles:
    """The same as tiles; where no box is named, of all that the layers hold.

    Args:
        check: Called before each tile; what it raises ends the work.
    """
    extents = [layer.extent for layer in layers]
    if box is None:
        box = reduce(lambda found, e: e.around(found) if e else found, extents, None)
    draft = Draft(Tiles())
    for key, there, _ in parts(box) if box else ():
        check()
        part = within(key, there)
        if any(_shows(layer, part) for layer in layers):
            draft.writable(key)[there] = composite(layers, part)
    return draft.frozen()


def _lay_layer(base: Bytes, pixels: Bytes, layer: Layer) -> None:
    if layer.is_mask:
        tints = _tints(layer.tint, layer.opacity)[pixels]
        blend_onto(base, tints.view(np.uint8).reshape(*pixels.shape, 4))
    else:
        blend_onto(base, pixels, layer.blend, layer.opacity)


@lru_cache(64)
def _tints(tint: str, opacity: float) -> np.ndarray:
    """What each value of a mask looks like: 256 premultiplied pixels as uint32."""
    colour = np.array([*parse_colour(tint), 1.0]) * MASK_SHOWN * opacity
    values = np.rint(np.arange(256)[:, None] * colour)
    return values.astype(np.uint8).view(np.uint32)[:, 0]


class CompositeTiles:
    """Tiles of what is shown, kept until it changes, at full size and smaller.

    A tile keeps its array while it is kept: a view wraps it once and sees it change after the
    next `tile`. Only what changed is made again.

    Args:
        canvas: Whose layers.
        choice: Which of its layers, the lowest first.
        limit: Tiles to keep, of 256 KiB each.
    """

    def __init__(self, canvas: Canvas, choice: Choice = visible, limit: int = 640) -> None:
        self._canvas = canvas
        self._choice = choice
        self._limit = limit
        self._kept: dict[tuple[int, Key], Bytes] = {}
        self._empty: set[tuple[int, Key]] = set()
        self._stale: dict[tuple[int, Key], Box] = {}
        self.close = canvas.subscribe(self._hear)

    def tile(self, column: int, row: int, level: int = 0) -> Bytes | None:
        """Premultiplied RGBA8, (256, 256, 4); None where there is nothing to see.

        Args:
            column, row: Which tile of its level.
            level: 0..5: a pixel stands for 2^level x 2^level pixels of the canvas.
        """
        place = (level, (column, row))
        if place in self._empty or not self._on_canvas(level, column, row):
            return None
        made = self._kept.pop(place, None)  # put back below, as the one used last
        if made is None:
            made = self._made(*place, box_of((column, row)), None)
        elif (stale := self._stale.pop(place, None)) is not None:
            made = self._made(*place, stale, made)
        if made is None:
            self._empty.add(place)
            return None
        self._kept[place] = made
        if len(self._kept) > self._limit:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._stale.pop(oldest, None)
        return made

    def forget(self) -> None:
        """Make everything again when it is asked for."""
        self._kept.clear()
        self._empty.clear()
        self._stale.clear()

    def _on_canvas(self, level: int, column: int, row: int) -> bool:
        size = TILE << level
        width, height = self._canvas.size
        return 0 <= column * size < width and 0 <= row * size < height

    def _made(self, level: int, key: Key, part: Box, tile: Bytes | None) -> Bytes | None:
        """The tile with `part`, in pixels of its level, made again."""
        fresh = self._smaller(level, part) if level else self._composite(part)
        if fresh is None and tile is None:
            return None
        if tile is None:
            tile = np.zeros((TILE, TILE, 4), np.uint8)
        left, top = part.left - key[0] * TILE, part.top - key[1] * TILE
        there = tile[top : top + part.height, left : left + part.width]
        there[...] = 0 if fresh is None else fresh
        return tile

    def _composite(self, part: Box) -> Bytes | None:
        inside = part.overlap(self._canvas.box)
        layers = list(self._choice(self._canvas.state))
        if inside is None or not any(_shows(layer, inside) for layer in layers):
            return None
        made = composite(layers, inside)
        if inside == part:
            return made
        out = np.zeros((part.height, part.width, 4), np.uint8)
        left, top = inside.left - part.left, inside.top - part.top
        out[top : top + inside.height, left : left + inside.width] = made
        return out

    def _smaller(self, level: int, part: Box) -> Bytes | None:
        """The mean of each 2 x 2 pixels of the level before."""
        box = Box(part.left * 2, part.top * 2, part.width * 2, part.height * 2)
        out = np.zeros((part.height, part.width, 4), np.uint8)
        found = False
        for key, there, here in parts(box):
            tile = self.tile(*key, level - 1)
            if tile is not None:
                rows, columns = (slice(s.start // 2, s.stop // 2) for s in here)
                size = (columns.stop - columns.start, rows.stop - rows.start)
                out[rows, columns] = cv2.resize(tile[there], size, interpolation=cv2.INTER_AREA)
                found = True
        return out if found else None

    def _hear(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if change.kind is ChangeKind.SIZE:
                self.forget()
            elif change.box is not None and change.kind is not ChangeKind.SELECTION:
                self._spoil(change.box)

    def _spoil(self, box: Box) -> None:
        for level in range(LEVELS):
            for key, there, _ in parts(box):
                place = (level, key)
                self._empty.discard(place)
                if place in self._kept:
                    self._stale[place] = within(key, there).around(self._stale.get(place))
            left, top = box.left // 2, box.top // 2
            box = Box(left, top, -(-box.right // 2) - left, -(-box.bottom // 2) - top)


def _shows(layer: Layer, box: Box) -> bool:
    return any(layer.tiles.get(key) is not None for key, _, _ in parts(layer.local(box)))
