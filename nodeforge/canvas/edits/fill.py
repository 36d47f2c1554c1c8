"""Edits that paint a whole area: fill, gradient, clear."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from nodeforge.canvas.document.blending import premultiplied, times
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.composite import composite, pictured
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import Layer
from nodeforge.canvas.document.tiles import Draft, Tiles, parts, within
from nodeforge.canvas.edits.paint import Colour, EraserPaint, Paint, apply_paint
from nodeforge.canvas.edits.stroke import limited
from nodeforge.imaging import Box, Bytes


def paint_area(
    canvas: Canvas, ink: Paint, mask: Tiles | None = None, name: str = "fill"
) -> CanvasEdit:
    """Lay `ink` on the active layer: where `mask` is, or everywhere, within the selection."""

    def work(state: State) -> State:
        layer = state.layer(state.active)
        state.check_open(layer)
        return state.with_layer(layer.with_tiles(painted(state, layer, ink, mask)))

    return CanvasEdit(canvas, name, work)


def painted(state: State, layer: Layer, ink: Paint, mask: Tiles | None = None) -> Tiles:
    """The tiles of `layer` with `ink` on them."""
    reach = state.selected()
    area = reach if mask is None else (mask.extent() or reach).overlap(reach)
    draft = Draft(layer.tiles)
    for key, there, _ in parts(area) if area else ():
        box = within(key, there)
        through = (
            np.full((box.height, box.width), 255, np.uint8) if mask is None else mask.read(box)
        )
        apply_paint(draft, layer, ink, limited(through, state.selection, box), box)
    return draft.frozen()


def clear_area(canvas: Canvas) -> CanvasEdit:
    """Make what is selected of the active layer transparent; all of it where nothing is."""
    return paint_area(canvas, EraserPaint(), name="clear")


def similar_area(
    state: State,
    x: int,
    y: int,
    tolerance: int = 16,
    *,
    layer: Layer | None = None,
    connected: bool = True,
    gap: int = 0,
) -> Tiles:
    """A mask of the pixels with about the colour of one: for fill, magic wand, by colour.

    Args:
        x, y: The one pixel; outside of the canvas there is nothing.
        tolerance: How much each of red, green, blue and alpha may be off, 0..255.
        layer: The layer that is looked at; the whole picture where there is none.
        connected: Only pixels that hang together with it.
        gap: Openings of up to so many pixels in the lines around count as closed.
    """
    if not (0 <= x < state.width and 0 <= y < state.height):
        return Tiles(1)
    seen = layer.read(state.box) if layer else composite(pictured(state), state.box)
    if seen.ndim == 2:
        seen = cv2.cvtColor(seen, cv2.COLOR_GRAY2BGRA)  # pyright: ignore
    one = seen[y, x].astype(int)
    low, high = (np.clip(one + off, 0, 255).tolist() for off in (-tolerance, tolerance))
    like = np.asarray(cv2.inRange(seen, tuple(low), tuple(high)), np.uint8)
    return Tiles.of(_hanging(like, x, y, gap) if connected else like)


def _hanging(like: Bytes, x: int, y: int, gap: int) -> Bytes:
    """The part of `like` (255 or 0) around a pixel."""
    if gap:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap + 1, gap + 1))
        narrow = np.asarray(cv2.erode(like, disc, borderValue=255), np.uint8)
        if narrow[y, x]:
            found = np.asarray(cv2.dilate(_hanging(narrow, x, y, 0), disc), np.uint8)
            return np.minimum(found, like)
    flooded = like.copy()
    cv2.floodFill(flooded, None, (x, y), 128)  # pyright: ignore
    return np.where(flooded == 128, np.uint8(255), np.uint8(0))


@dataclass(frozen=True)
class GradientPaint:
    """From one colour to another along a line, or outwards from its start.

    Args:
        start, end: Places on the canvas, pixels.
        first, last: The colours there; beyond, they go on.
        radial: Outwards.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    first: Colour
    last: Colour
    radial: bool = False
    _table: Bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        share = np.linspace(0, 1, 1024)[:, None]
        ends = [premultiplied(np.array([[c]], np.uint8))[0, 0] for c in (self.first, self.last)]
        between = ends[0] * (1 - share) + ends[1] * share
        object.__setattr__(self, "_table", np.rint(between).astype(np.uint8))

    @property
    def opaque(self) -> bool:
        return False

    def seen(self, alpha: Bytes, box: Box) -> Bytes:
        return times(self._table[self._places(box)], alpha)

    def level(self, alpha: Bytes, box: Box) -> Bytes:
        return times(np.ascontiguousarray(self._table[self._places(box), 3]), alpha)

    def _places(self, box: Box) -> np.ndarray:
        """For each pixel of `box` its place in the table."""
        x = np.arange(box.left, box.right, dtype=np.float32)[None, :] + 0.5 - self.start[0]
        y = np.arange(box.top, box.bottom, dtype=np.float32)[:, None] + 0.5 - self.start[1]
        across, down = self.end[0] - self.start[0], self.end[1] - self.start[1]
        square = max(across * across + down * down, 1e-6)
        if self.radial:
            share = np.sqrt((x * x + y * y) / square)
        else:
            share = (x * across + y * down) / square
        return np.rint(np.clip(share, 0, 1) * 1023).astype(np.int32)


@dataclass(frozen=True)
class ClonePaint:
    """What layers showed somewhere else, when the stroke began.

    Args:
        layers: Whose pixels, the lowest first.
        right, down: How far from the brush they are taken, pixels.
    """

    layers: tuple[Layer, ...]
    right: int
    down: int

    @property
    def opaque(self) -> bool:
        return False

    def seen(self, alpha: Bytes, box: Box) -> Bytes:
        return times(composite(self.layers, box.moved(self.right, self.down)), alpha)

    def level(self, alpha: Bytes, box: Box) -> Bytes:
        return np.ascontiguousarray(self.seen(alpha, box)[..., 3])
