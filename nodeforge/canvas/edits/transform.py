"""Moves, scales and rotates the selected part of a layer, or all of it, or a group."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

import cv2
import numpy as np

from nodeforge.canvas.document.blending import blend_onto, times
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import Layer, LayerKind
from nodeforge.canvas.document.tiles import Draft, Tiles, parts
from nodeforge.canvas.edits.fill import painted
from nodeforge.canvas.edits.paint import EraserPaint
from nodeforge.canvas.errors import LayerClosedError, NothingSelectedError
from nodeforge.imaging import Box, Bytes

_ROOM = 7
"""Bits that colours are shifted by, to have room above 255."""

_BAND = 512
"""Rows that are made at a time, so that few are floats at once."""


@dataclass(frozen=True)
class Affine:
    """Where points of the canvas go: ``x' = xx x + xy y + x0``, ``y' = yx x + yy y + y0``."""

    xx: float = 1.0
    xy: float = 0.0
    yx: float = 0.0
    yy: float = 1.0
    x0: float = 0.0
    y0: float = 0.0

    @classmethod
    def moved(cls, right: float, down: float) -> Affine:
        return cls(x0=right, y0=down)

    @classmethod
    def scaled(cls, across: float, down: float, x: float = 0.0, y: float = 0.0) -> Affine:
        """Times two factors (negative ones mirror) about a point that stays."""
        return cls(xx=across, yy=down, x0=x - across * x, y0=y - down * y)

    @classmethod
    def turned(cls, degrees: float, x: float = 0.0, y: float = 0.0) -> Affine:
        """Clockwise, as y points down, about a point that stays."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return cls(cos, -sin, sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)

    def then(self, after: Affine) -> Affine:
        """This, and then `after`."""
        both = after.matrix @ self.matrix
        return Affine(both[0, 0], both[0, 1], both[1, 0], both[1, 1], both[0, 2], both[1, 2])

    @property
    def matrix(self) -> np.ndarray:
        return np.array([[self.xx, self.xy, self.x0], [self.yx, self.yy, self.y0], [0, 0, 1.0]])

    @property
    def shift(self) -> tuple[int, int] | None:
        """Pixels to the right and down, where it is a move by whole pixels."""
        plain = (self.xx, self.xy, self.yx, self.yy) == (1, 0, 0, 1)
        whole = self.x0 == int(self.x0) and self.y0 == int(self.y0)
        return (int(self.x0), int(self.y0)) if plain and whole else None

    def box(self, box: Box) -> Box:
        """The rectangle around where a box goes."""
        corners = np.array(
            [[x, y, 1] for x in (box.left, box.right) for y in (box.top, box.bottom)]
        )
        places = (self.matrix @ corners.T)[:2]
        low, high = np.floor(places.min(axis=1) + 1e-6), np.ceil(places.max(axis=1) - 1e-6)
        left, top = int(low[0]), int(low[1])
        return Box(left, top, int(high[0]) - left, int(high[1]) - top)


class Transform:
    """What is selected of the active layer, lifted, to be put down elsewhere; of a group, of all
    layers in it.

    Seen while it is dragged (`show`), one edit when it is done (`end`). The pixels always come
    from the layers as they were, so that turning them ten times blurs them once. What lands
    outside of the canvas is cut off, unless whole layers are moved: then only their offsets
    change. Hidden layers of a group go with it.

    Raises:
        LayerClosedError: the layer is locked or hidden; of a group, a layer in it is locked.
        NothingSelectedError: there is nothing in the selection.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._before = before = canvas.state
        active = before.layer(before.active)
        lifted = (_Lifted.of(before, layer) for layer in _moved_layers(before, active))
        self._lifted = [each for each in lifted if each is not None]
        if not self._lifted:
            raise NothingSelectedError("there is nothing to move.", place=active.name)
        self.box: Box = reduce(Box.around, (each.box for each in self._lifted))
        """Around what was lifted, on the canvas."""
        self.over = False

    def show(self, affine: Affine) -> None:
        """Show the canvas with it there; quickly."""
        if not self.over:
            self._canvas.preview(self._made(affine, cv2.INTER_LINEAR), self.cancel)

    def end(self, affine: Affine) -> CanvasEdit:
        """The edit to perform; the canvas is as before.

        It changes nothing where the transform was cancelled, also by another edit or an undo.
        """
        if self.over:
            return CanvasEdit(self._canvas, "move", lambda state: state)
        self.cancel()
        name = "move" if affine.shift else "transform"
        return CanvasEdit(self._canvas, name, lambda _: self._made(affine, cv2.INTER_CUBIC))

    def cancel(self) -> None:
        """As if nothing had been lifted."""
        if not self.over:
            self.over = True
            self._canvas.show(self._before)

    def _made(self, affine: Affine, method: int) -> State:
        if affine.shift == (0, 0):
            return self._before
        state = self._before
        for each in self._lifted:
            state = state.with_layer(each.put(affine, method))
        if state.selection is None:
            return state
        return replace(state, selection=self._moved_selection(affine))

    def _moved_selection(self, affine: Affine) -> Tiles | None:
        selection = self._before.selection
        box = None if selection is None else selection.bounds()
        if selection is None or box is None:
            return None
        place, mask = _warped(selection.read(box), box, affine, self._before.box, cv2.INTER_LINEAR)
        chosen = Tiles.of(mask, place.left, place.top)
        return chosen if len(chosen) else None


def _moved_layers(state: State, active: Layer) -> Iterator[Layer]:
    """The layer, or what is in a group; none of it is locked."""
    if not active.is_group:
        state.check_open(active)
        yield active
        return
    shown = replace(active, kind=LayerKind.PAINT)  # a group is no layer to paint on
    state.check_open(shown)
    for layer in state.inside(active.id):
        if layer.locked:
            raise LayerClosedError(
                "is locked.",
                place=layer.name,
                way_out=f"Unlock it, so that the group '{active.name}' can be moved.",
            )
        if not layer.is_group:
            yield layer


@dataclass(eq=False)
class _Lifted:
    """What is lifted of one layer.

    Args:
        before: The canvas as it was.
        box: Around it, on the canvas.
    """

    before: State
    layer: Layer
    box: Box
    _pixels: Bytes | None = None
    _rest: Tiles | None = None

    @classmethod
    def of(cls, before: State, layer: Layer) -> _Lifted | None:
        """What is selected of a layer; None where that is nothing."""
        bounds = layer.tiles.bounds()
        box = bounds and bounds.moved(*layer.offset)
        if before.selection is not None:
            box = box and box.overlap(before.selected())
        return cls(before, layer, box) if box is not None else None

    def put(self, affine: Affine, method: int) -> Layer:
        """The layer with it where `affine` takes it."""
        layer, shift = self.layer, affine.shift
        if self.before.selection is None and shift is not None:
            offset = (layer.offset[0] + shift[0], layer.offset[1] + shift[1])
            return replace(layer, offset=offset)
        place, pixels = _warped(self._lift(), self.box, affine, self.before.box, method)
        draft = Draft(self._remaining())
        for key, there, here in parts(layer.local(place)):
            _put(draft.writable(key)[there], pixels[here])
        return layer.with_tiles(draft.frozen())

    def _lift(self) -> Bytes:
        if self._pixels is None:
            pixels, selection = self.layer.read(self.box), self.before.selection
            self._pixels = pixels if selection is None else times(pixels, selection.read(self.box))
        return self._pixels

    def _remaining(self) -> Tiles:
        if self._rest is None:
            open_layer = replace(self.layer, alpha_locked=False)
            self._rest = painted(self.before, open_layer, EraserPaint(), None)
            if self.before.selection is None:
                self._rest = Tiles(self.layer.tiles.channels)
        return self._rest


def _put(base: Bytes, pixels: Bytes) -> None:
    """Lay pixels on a layer; of two masks, the greater."""
    if base.ndim == 2:
        cv2.max(base, pixels, dst=base)
    else:
        blend_onto(base, pixels)


def _warped(pixels: Bytes, box: Box, affine: Affine, limit: Box, method: int) -> tuple[Box, Bytes]:
    """Pixels of `box` where `affine` takes them, within `limit`, and the box they then fill."""
    # An edge fades over the two pixels that a cubic curve reaches beyond it.
    reach = box if affine.shift else Box(box.left - 2, box.top - 2, box.width + 4, box.height + 4)
    place = affine.box(reach).overlap(limit) or Box(limit.left, limit.top, 0, 0)
    if not (place.width and place.height):
        return place, np.zeros((0, 0, *pixels.shape[2:]), np.uint8)
    if affine.shift is not None:
        left, top = (affine.shift[i] + box[i] - place[i] for i in (0, 1))
        return place, pixels[-top : place.height - top, -left : place.width - left]
    shrunk, factors = _shrunk(pixels, affine)
    # From middles of pixels of what was lifted to middles of pixels of the place.
    before = Affine.scaled(*factors).then(Affine.moved(box.left, box.top))
    whole = before.then(affine).then(Affine.moved(-place.left, -place.top))
    middles = Affine.moved(0.5, 0.5).then(whole).then(Affine.moved(-0.5, -0.5))
    if method == cv2.INTER_CUBIC and shrunk.ndim == 3:
        return place, _cubic(shrunk, middles, place)
    return place, _warp(shrunk, middles, (place.width, place.height), method)


def _warp(pixels: np.ndarray, middles: Affine, size: tuple[int, int], method: int) -> np.ndarray:
    border = cv2.BORDER_CONSTANT
    return cv2.warpAffine(pixels, middles.matrix[:2], size, flags=method, borderMode=border)


def _cubic(pixels: Bytes, middles: Affine, place: Box) -> Bytes:
    """Cubic, with room above 255: at an edge alpha and colours pass it, and then both are
    divided by as much. Cut at 255 each for itself, edges would get a light rim.
    """
    wide = pixels.astype(np.uint16) << _ROOM
    out = np.empty((place.height, place.width, 4), np.uint8)
    for top in range(0, place.height, _BAND):
        size = (place.width, min(_BAND, place.height - top))
        band = _warp(wide, middles.then(Affine.moved(0, -top)), size, cv2.INTER_CUBIC)
        bright = band[..., 3] > (255 << _ROOM)
        above = band[bright].astype(np.float32)
        band[bright] = above * (np.float32(255 << _ROOM) / above[:, 3:])
        made = np.asarray(cv2.convertScaleAbs(band, alpha=1 / (1 << _ROOM)), np.uint8)
        out[top : top + size[1]] = np.minimum(made, made[..., 3:])
    return out


def _shrunk(pixels: Bytes, affine: Affine) -> tuple[Bytes, tuple[float, float]]:
    """Pixels averaged as far as `affine` makes them smaller, and by how much, across and down."""
    across, down = math.hypot(affine.xx, affine.yx), math.hypot(affine.xy, affine.yy)
    height, width = pixels.shape[:2]
    size = (max(round(width * min(across, 1)), 1), max(round(height * min(down, 1)), 1))
    if size == (width, height):
        return pixels, (1.0, 1.0)
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, (width / size[0], height / size[1])
