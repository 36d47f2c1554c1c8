"""Makes masks of layers, and edits the selection and mask layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nodeforge.canvas.document.blending import alpha_of, inverse
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import Layer
from nodeforge.canvas.document.tiles import Draft, Tiles, parts, within
from nodeforge.canvas.edits.selection import clipped
from nodeforge.errors import RequestError
from nodeforge.imaging import Box, Bytes, Pixels, feather, grow, to_bytes, to_float

_BAND = 1024
"""Rows of a mask that are worked on at a time: a canvas can be too large for floats."""


def alpha_mask(layer: Layer) -> Tiles:
    """Where a layer shows something, in the canvas' coordinates; a mask is that itself."""
    draft = Draft(Tiles(1))
    for key, there, _ in parts(layer.extent) if layer.extent else ():
        pixels = layer.read(within(key, there))
        draft.writable(key)[there] = pixels if layer.is_mask else alpha_of(pixels)
    return draft.frozen()


def clear_mask(layer: Layer, box: Box) -> Tiles:
    """Where a layer is transparent within `box`: what there is to fill."""
    return _inverted(alpha_mask(layer), box)


def invert_mask(canvas: Canvas, mask: str = "") -> CanvasEdit:
    """Turn a mask layer inside out within the canvas; the selection, where none is named."""
    return _changed(canvas, mask, "invert", _inverted)


def grow_mask(canvas: Canvas, pixels: int, mask: str = "") -> CanvasEdit:
    """Make a mask layer or the selection larger on all sides; smaller for negative `pixels`."""

    def work(tiles: Tiles, box: Box) -> Tiles:
        return _in_bands(tiles, box, abs(pixels), lambda part: grow(part, pixels))

    return _changed(canvas, mask, "grow" if pixels > 0 else "shrink", work)


def feather_mask(canvas: Canvas, radius: int, mask: str = "") -> CanvasEdit:
    """Give a mask layer or the selection soft edges, `radius` pixels on both sides."""

    def work(tiles: Tiles, box: Box) -> Tiles:
        return feathered(tiles, radius, box)

    return _changed(canvas, mask, "feather", work)


def feathered(tiles: Tiles, radius: int, box: Box) -> Tiles:
    """A mask with soft edges, within `box`: for a selection that is feathered as it is made."""
    return _in_bands(tiles, box, radius, lambda part: feather(part, radius))


def _changed(
    canvas: Canvas, mask: str, verb: str, work: Callable[[Tiles, Box], Tiles]
) -> CanvasEdit:
    def change(state: State) -> State:
        if mask:
            layer = state.layer(mask)
            check_mask(layer)
            state.check_open(layer)
            return state.with_layer(layer.with_tiles(work(layer.tiles, layer.local(state.box))))
        if state.selection is None:
            raise RequestError("nothing is selected.", way_out="Select a part first.")
        chosen = clipped(work(state.selection, state.box), state.box)
        return replace(state, selection=chosen if len(chosen) else None)

    return CanvasEdit(canvas, f"{verb} {'mask' if mask else 'selection'}", change)


def check_mask(layer: Layer) -> None:
    """Raise a `RequestError` unless `layer` is a mask that may be painted on."""
    if not layer.is_mask:
        raise RequestError("is no mask.", place=layer.name, way_out="Choose a mask layer.")
    layer.check_open()


def _inverted(tiles: Tiles, box: Box) -> Tiles:
    draft = Draft(tiles)
    for key, there, _ in parts(box):
        tile = draft.writable(key)[there]
        tile[...] = inverse(tile)
    return draft.frozen()


def _in_bands(tiles: Tiles, box: Box, margin: int, work: Callable[[Pixels], Pixels]) -> Tiles:
    """`work` of a mask as if of the whole: what reaches `margin` pixels far sees as much."""
    bounds = tiles.bounds()
    around = _wider(bounds, margin).overlap(box) if bounds else None
    if around is None:
        return tiles
    draft = Draft(tiles)
    for top in range(around.top, around.bottom, _BAND):
        band = Box(around.left, top, around.width, min(_BAND, around.bottom - top))
        seen = _wider(band, margin).overlap(box) or band
        made: Bytes = to_bytes(work(to_float(tiles.read(seen))))
        left, down = band.left - seen.left, band.top - seen.top
        draft.write(
            band, np.ascontiguousarray(made[down : down + band.height, left : left + band.width])
        )
    return draft.frozen()


def _wider(box: Box, by: int) -> Box:
    return Box(box.left - by, box.top - by, box.width + 2 * by, box.height + 2 * by)
