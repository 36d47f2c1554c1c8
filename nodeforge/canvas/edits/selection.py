"""Selections: shapes as masks, combined by add, subtract and intersect."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from nodeforge.canvas.document.blending import inverse
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.tiles import TILE, Draft, Key, Tiles, box_of, parts, within
from nodeforge.imaging import Box, Bytes, Combine

_FINE = 4
"""Samples a pixel, across and down, at soft edges."""

Point = tuple[float, float]


def rectangle(left: float, top: float, right: float, bottom: float) -> Tiles:
    """A mask of a rectangle; a pixel that is partly in it counts as much."""
    box = Box(math.floor(left), math.floor(top), 0, 0)
    box = box._replace(width=math.ceil(right) - box.left, height=math.ceil(bottom) - box.top)
    across = _share(left, right, box.left, box.width)
    down = _share(top, bottom, box.top, box.height)
    return _filled(
        box,
        lambda part: np.rint(
            np.outer(
                _cut(down, part.top - box.top, part.height),
                _cut(across, part.left - box.left, part.width),
            )
            * 255
        ).astype(np.uint8),
    )


def _share(start: float, stop: float, first: int, count: int) -> np.ndarray:
    """How much of each of `count` pixels lies between `start` and `stop`."""
    places = np.arange(first, first + max(count, 0))
    return np.clip(np.minimum(places + 1, stop) - np.maximum(places, start), 0, 1)


def _cut(values: np.ndarray, start: int, count: int) -> np.ndarray:
    return values[start : start + count]


def ellipse(left: float, top: float, right: float, bottom: float, antialias: bool = True) -> Tiles:
    """A mask of the ellipse inside of a rectangle."""
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    x = (left + right) / 2 + np.cos(angles) * (right - left) / 2
    y = (top + bottom) / 2 + np.sin(angles) * (bottom - top) / 2
    return polygon(list(zip(x.tolist(), y.tolist(), strict=True)), antialias)


def polygon(points: Sequence[Point], antialias: bool = True) -> Tiles:
    """A mask of what a closed line surrounds (a lasso, too), by the even-odd rule."""
    if len(points) < 3:
        return Tiles(1)
    corners = np.asarray(points, np.float64)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    box = Box(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))
    fine = _FINE if antialias else 1

    def cover(part: Box) -> Bytes:
        samples = np.zeros((part.height * fine, part.width * fine), np.uint8)
        local = (corners - (part.left, part.top)) * fine - 0.5
        cv2.fillPoly(samples, [np.rint(local * 256).astype(np.int32)], 255, shift=8)
        if fine == 1:
            return samples
        size = (part.width, part.height)
        return np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_AREA), np.uint8)

    return _filled(box, cover)


def _filled(box: Box, cover: Callable[[Box], Bytes]) -> Tiles:
    draft = Draft(Tiles(1))
    for key, there, _ in parts(box):
        draft.writable(key)[there] = cover(within(key, there))
    return draft.frozen()


def combined(first: Tiles, second: Tiles, how: Combine) -> Tiles:
    """Two masks as one, see `Combine`."""
    draft = Draft(first)
    for key in {*first, *second} if how is not Combine.SUBTRACT else set(first) & set(second):
        other = second.get(key)
        if other is None:
            other = np.zeros(second.shape, np.uint8)
        tile = draft.writable(key)
        match how:
            case Combine.ADD:
                cv2.max(tile, other, dst=tile)
            case Combine.SUBTRACT:
                cv2.min(tile, inverse(other), dst=tile)
            case Combine.INTERSECT:
                cv2.min(tile, other, dst=tile)
    return draft.frozen()


def clipped(tiles: Tiles, box: Box) -> Tiles:
    """`tiles` without what lies outside of `box`."""
    extent = tiles.extent()
    if extent is None or extent.overlap(box) == extent:
        return tiles
    kept = {key: tile for key, tile in tiles.items() if box_of(key).overlap(box)}
    draft = Draft(Tiles(tiles.channels, kept))
    for key, tile in kept.items():
        inside = box_of(key).overlap(box)
        if inside is not None and inside != box_of(key):
            cut = np.zeros_like(tile)
            there = _place(inside, key)
            cut[there] = tile[there]
            draft.writable(key)[...] = cut
    return draft.frozen()


def _place(box: Box, key: Key) -> tuple[slice, slice]:
    """Rows and columns of a box in the tile that it lies in."""
    left, top = box.left - key[0] * TILE, box.top - key[1] * TILE
    return slice(top, top + box.height), slice(left, left + box.width)


def select(canvas: Canvas, mask: Tiles, how: Combine | None = None) -> CanvasEdit:
    """Select where `mask` is, instead of what was selected, or together with it.

    Where nothing is left, nothing is selected, and edits reach everything.
    """

    def work(state: State) -> State:
        chosen = clipped(mask, state.box)
        if how is not None:
            before = rectangle(*state.box) if state.selection is None else state.selection
            if state.selection is not None or how is not Combine.ADD:
                chosen = combined(before, chosen, how)
        return replace(state, selection=chosen if len(chosen) else None)

    return CanvasEdit(canvas, "select", work)


def deselect(canvas: Canvas) -> CanvasEdit:
    """Let edits reach everything."""

    def work(state: State) -> State:
        return state if state.selection is None else replace(state, selection=None)

    return CanvasEdit(canvas, "deselect", work)
