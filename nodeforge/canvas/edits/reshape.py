"""Edits of the canvas size: crop, resize, flip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import Layer
from nodeforge.canvas.document.tiles import Key, Tiles
from nodeforge.canvas.edits.selection import clipped
from nodeforge.imaging import Box, Bytes


def crop_canvas(canvas: Canvas, box: Box) -> CanvasEdit:
    """Keep a rectangle, which may reach beyond the canvas; what is outside of it is gone.

    Raises:
        CanvasSizeError: the rectangle is empty or too large.
    """

    def work(state: State) -> State:
        return state if box == state.box else _cut(state, box)

    return CanvasEdit(canvas, "crop canvas", work)


def grown_to(state: State, box: Box) -> tuple[State, Box]:
    """`state` large enough for `box`, and where the box then lies.

    Raises:
        CanvasSizeError: it would be too large.
    """
    grown = state.box.around(box)
    if grown == state.box:
        return state, box
    return _cut(state, grown), box.moved(-grown.left, -grown.top)


def resize_canvas(
    canvas: Canvas, width: int, height: int, across: float = 0.5, down: float = 0.5
) -> CanvasEdit:
    """Give the canvas another size; layers keep theirs.

    Args:
        across, down: Where the picture stays: 0 at the left or top, 0.5 in the middle, 1 at the
            right or bottom.
    """

    def work(state: State) -> State:
        left = round((state.width - width) * across)
        top = round((state.height - height) * down)
        box = Box(left, top, width, height)
        return state if box == state.box else _cut(state, box)

    return CanvasEdit(canvas, "resize canvas", work)


def flip_canvas(canvas: Canvas, across: bool) -> CanvasEdit:
    """Mirror everything: left and right, or top and bottom."""

    def work(state: State) -> State:
        layers = tuple(_flipped(layer, state, across) for layer in state.layers)
        selection = state.selection
        if selection is not None:
            pixels = selection.read(state.box)
            selection = Tiles.of(pixels[:, ::-1] if across else pixels[::-1])
        return replace(state, layers=layers, selection=selection)

    return CanvasEdit(canvas, f"flip {'horizontally' if across else 'vertically'}", work)


def flip_layer(canvas: Canvas, id: str, across: bool) -> CanvasEdit:
    """Mirror a layer, or all that is in a group, at the middle of the canvas."""

    def work(state: State) -> State:
        layer = state.layer(id)
        flipped = state
        inside = [each for each in state.inside(id) if not each.is_group]
        for each in inside or [layer]:
            state.check_open(each)
            flipped = flipped.with_layer(_flipped(each, state, across))
        return flipped

    return CanvasEdit(canvas, "flip layer", work)


def _cut(state: State, box: Box) -> State:
    fresh = State(box.width, box.height)  # refuses a size that is not possible
    layers = (
        replace(
            layer,
            tiles=clipped(layer.tiles, layer.local(box)),
            offset=(layer.offset[0] - box.left, layer.offset[1] - box.top),
        )
        for layer in state.layers
    )
    selection = state.selection
    if selection is not None:
        chosen = Tiles.of(selection.read(box))
        selection = chosen if len(chosen) else None
    size = {"width": fresh.width, "height": fresh.height}
    return replace(state, **size, layers=tuple(layers), selection=selection)


def _flipped(layer: Layer, state: State, across: bool) -> Layer:
    """Tiles change places about the layer's corner, so that none is cut anew."""
    made: dict[Key, Bytes] = {}
    for (column, row), tile in layer.tiles.items():
        key = (-1 - column, row) if across else (column, -1 - row)
        made[key] = np.ascontiguousarray(tile[:, ::-1] if across else tile[::-1])
        made[key].flags.writeable = False
    x, y = layer.offset
    offset = (state.width - x, y) if across else (x, state.height - y)
    tiles = Tiles(layer.tiles.channels, made)
    return replace(layer, tiles=tiles, offset=offset, origin=None)
