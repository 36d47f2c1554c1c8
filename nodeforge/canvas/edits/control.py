"""Fills a control layer from the picture below it, by a preprocessor."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from nodeforge.canvas.document.blending import premultiplied, straight
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.composite import composite, pictured
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import LayerKind
from nodeforge.canvas.document.tiles import Tiles
from nodeforge.errors import RequestError
from nodeforge.imaging import Bytes, Reading, control_hint, to_bytes, to_float

FINEST = 2048
"""Pixels along a side of the picture that a preprocessor sees: a second's work."""

PREPROCESSORS = (
    *(Reading.EDGES, Reading.SOFT_EDGES, Reading.LINE_ART, Reading.SCRIBBLE),
    *(Reading.TILE, Reading.PICTURE),
)
"""What a layer can be filled by."""

_IN_COLOURS = frozenset({Reading.TILE, Reading.PICTURE})
_INK = np.rint(np.outer(np.arange(256), (224, 82, 176, 255)) / 255).astype(np.uint8)
"""What a line of each strength looks like, premultiplied: a colour that is seen on most pictures.
A ControlNet sees how opaque it is."""


def control_from_picture(canvas: Canvas, id: str, preprocessor: Reading) -> CanvasEdit:
    """Fill a control layer by what a preprocessor finds below it; see `with_control_found`."""

    def work(state: State) -> State:
        return with_control_found(state, id, preprocessor)

    return CanvasEdit(canvas, f"{preprocessor.value} from picture", work)


def with_control_found(state: State, id: str, preprocessor: Reading) -> State:
    """`state` with a control layer that shows what a preprocessor finds in the layers below it.

    Lines are as opaque as they are strong, so that the layer then is taken as drawn
    (`Reading.LINES`), can be painted on, and shows the picture between them; what has colours is
    taken as it is (`Reading.PICTURE`). It takes up to some seconds, in any thread.

    Args:
        state: Stays as it is.
        id: The control layer.
        preprocessor: One of `PREPROCESSORS`. A picture of more than `FINEST` pixels along a side
            is made smaller for it.

    Raises:
        RequestError: it is no control layer, or no picture is visible below it.
        LayerClosedError: it is locked or hidden.
    """
    layer = state.layer(id)
    if layer.kind is not LayerKind.CONTROL:
        raise RequestError("is no control layer.", place=layer.name)
    state.check_open(layer)
    tiles = Tiles.of(_found(_below(state, id), preprocessor))
    reading = Reading.PICTURE if preprocessor in _IN_COLOURS else Reading.LINES
    control = replace(layer.control, reading=reading)
    made = replace(layer, tiles=tiles, offset=(0, 0), origin=None, control=control)
    return state.with_layer(made)


def _below(state: State, id: str) -> Bytes:
    """What the picture layers below a layer show, premultiplied RGBA8."""
    below = {layer.id for layer in state.layers[: state.place(id)]}
    shown = composite((layer for layer in pictured(state) if layer.id in below), state.box)
    if not shown[..., 3].any():
        raise RequestError(
            "there is no picture below.",
            place=state.layer(id).name,
            way_out="Show a picture layer, or move this one above it.",
        )
    return shown


def _found(picture: Bytes, preprocessor: Reading) -> Bytes:
    """What a preprocessor finds; both premultiplied RGBA8 of one size."""
    if preprocessor is Reading.PICTURE:
        return picture
    height, width = picture.shape[:2]
    share = min(1.0, FINEST / max(height, width))
    small = (max(1, round(width * share)), max(1, round(height * share)))
    seen = _resized(picture, small, cv2.INTER_AREA)
    hint = to_bytes(control_hint(to_float(straight(seen)), preprocessor))
    if preprocessor in _IN_COLOURS:
        colours = _resized(hint, (width, height), cv2.INTER_LINEAR)
        return premultiplied(np.dstack([colours, picture[..., 3]]))
    lines = _resized(np.ascontiguousarray(hint[..., 0]), (width, height), cv2.INTER_LINEAR)
    return _INK[lines]


def _resized(pixels: Bytes, size: tuple[int, int], method: int) -> Bytes:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8)
