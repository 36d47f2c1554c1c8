"""Copy, cut and paste of what is selected."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.canvas.document.blending import times
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.composite import composite, pictured
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import LayerKind
from nodeforge.canvas.document.tiles import Tiles
from nodeforge.canvas.edits.fill import clear_area
from nodeforge.canvas.edits.layers import flat_layer, new_layer, with_new
from nodeforge.canvas.errors import NothingSelectedError
from nodeforge.imaging import Bytes


class Clip(NamedTuple):
    """What was copied.

    Args:
        pixels: Premultiplied RGBA8, or a mask.
        left, top: Where it lay on the canvas.
    """

    pixels: Bytes
    left: int = 0
    top: int = 0


def copied(state: State, merged: bool = False) -> Clip:
    """What is selected of the active layer, or of the picture that all layers make.

    Raises:
        NothingSelectedError: there is nothing.
    """
    layer = None if merged else flat_layer(state, state.layer(state.active))
    extent = state.box if layer is None else layer.extent
    box = extent and extent.overlap(state.selected())
    if box is None:
        raise NothingSelectedError("there is nothing to copy.", way_out="Select another part.")
    pixels = composite(pictured(state), box) if layer is None else layer.read(box)
    if state.selection is not None:
        pixels = times(pixels, state.selection.read(box))
    return Clip(pixels, box.left, box.top)


def cut(canvas: Canvas) -> tuple[Clip, CanvasEdit]:
    """What is selected of the active layer, and the edit that takes it away."""
    clip = copied(canvas.state)
    edit = clear_area(canvas)
    edit.name = "cut"
    return clip, edit


def paste(canvas: Canvas, clip: Clip, name: str = "Pasted") -> CanvasEdit:
    """Put what was copied into a layer of its own, above the active one."""

    def work(state: State) -> State:
        kind = LayerKind.MASK if clip.pixels.ndim == 2 else LayerKind.PAINT
        tiles = Tiles.of(clip.pixels)
        offset = (clip.left, clip.top)
        return with_new(state, new_layer(state, kind, name, tiles=tiles, offset=offset))

    return CanvasEdit(canvas, "paste", work)
