"""A brush stroke: previewed while it is drawn, one edit when it is done."""

from __future__ import annotations

from functools import reduce
from typing import cast

import cv2
import numpy as np

from nodeforge.canvas.document.blending import times
from nodeforge.canvas.document.canvas import Canvas, Change, ChangeKind
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.tiles import TILE, Draft, Key, Tiles, parts, within
from nodeforge.canvas.edits.brush import Brush, Path, Sample, stamp
from nodeforge.canvas.edits.paint import Paint, apply_paint
from nodeforge.imaging import Box, Bytes

_ALL = 65535


class Stroke:
    """One stroke on the active layer, from pen down to pen up.

    How much of each pixel is covered is kept apart from the layer, with 16 bits; the layer as it
    was is then painted through that, times the brush's opacity. So however often a stroke
    crosses itself, no pixel gets more than that opacity.

    Args:
        canvas: What is painted on. Only the stroke changes it until it ends.
        brush: How it looks.
        ink: What it leaves.
        name: For "Undo ...".

    Raises:
        NoSuchLayerError: no layer is active.
        LayerClosedError: it is locked or hidden.
    """

    def __init__(
        self, canvas: Canvas, brush: Brush, ink: Paint, name: str = "brush stroke"
    ) -> None:
        self._canvas, self._brush, self._ink, self._name = canvas, brush, ink, name
        self._before = canvas.state
        self._layer = self._before.layer(self._before.active)
        self._before.check_open(self._layer)
        self._draft = Draft(self._layer.tiles)
        self._cover: dict[Key, np.ndarray] = {}
        self._path: Path | None = None
        self.over = False

    def begin(self, sample: Sample) -> None:
        """The pen comes down."""
        assert self._path is None, "a stroke begins once"
        self._path = Path(self._brush, sample)
        layer = self._layer.with_tiles(self._draft)
        self._canvas.preview(self._before.with_layer(layer), self.cancel)
        self._dab([sample])

    def extend(self, sample: Sample, straight: bool = False) -> None:
        """The pen moves on, smoothly, or in a straight line; nowhere once the stroke is over."""
        assert self._path is not None, "a stroke begins before it goes on"
        if self.over:
            return
        self._dab(self._path.straight(sample) if straight else self._path.to(sample))

    def end(self) -> CanvasEdit:
        """The pen comes up: the canvas is as before, and the edit to perform makes the stroke.

        The edit changes nothing where the stroke was cancelled, also by another edit or an undo.
        """
        assert self._path is not None, "a stroke begins before it ends"
        if self.over:
            return CanvasEdit(self._canvas, self._name, lambda state: state)
        self._dab(self._path.rest())
        tiles = self._draft.frozen()
        after = self._before.with_layer(self._layer.with_tiles(tiles))
        self.cancel()
        return CanvasEdit(self._canvas, self._name, lambda _: after)

    def cancel(self) -> None:
        """As if there had been no stroke."""
        if not self.over:
            self.over = True
            self._canvas.show(self._before)

    def _dab(self, samples: list[Sample]) -> None:
        touched: dict[Key, Box] = {}
        for sample in samples:
            self._stamp(sample, touched)
        for key, box in touched.items():
            self._lay(key, box)
        whole = reduce(Box.around, touched.values()) if touched else None
        if whole is not None:
            self._canvas.notify(Change(ChangeKind.PIXELS, self._layer.id, whole))

    def _stamp(self, sample: Sample, touched: dict[Key, Box]) -> None:
        """Cover more, and note where, for each tile of the canvas."""
        brush = self._brush
        cover, left, top = stamp(sample, brush.size_at(sample.pressure), brush.hardness)
        most = sample.pressure if brush.pressure_opacity else 1.0
        whole = Box(left, top, cover.shape[1], cover.shape[0])
        box = whole.overlap(self._before.box)
        if box is None:
            return
        part = cover[box.top - top : box.bottom - top, box.left - left : box.right - left]
        for key, there, here in parts(box):
            if self._add(self._clear(key)[there], part[here], most):
                touched[key] = within(key, there).around(touched.get(key))

    def _clear(self, key: Key) -> np.ndarray:
        """How much of each pixel of a tile of the canvas is *not* covered yet, uint16."""
        found = self._cover.get(key)
        if found is None:
            found = self._cover[key] = np.full((TILE, TILE), _ALL, np.uint16)
        return found

    def _add(self, clear: np.ndarray, cover: np.ndarray, most: float) -> bool:
        """Cover a share `flow` of what lacks to `most`; whether anything did."""
        missing = clear
        if most < 1:
            reached = np.uint16(_ALL - round(most * _ALL))
            missing = np.maximum(clear, reached) - reached
        if not cv2.countNonZero(missing):
            return False
        added = cv2.multiply(missing, cover, scale=self._brush.flow / _ALL)
        cv2.subtract(clear, added, dst=clear)
        return True

    def _lay(self, key: Key, box: Box) -> None:
        """Paint a part of a tile of the canvas through what is covered there."""
        left, top = box.left - key[0] * TILE, box.top - key[1] * TILE
        clear = self._cover[key][top : top + box.height, left : left + box.width]
        alpha = limited(_alpha(clear, self._brush.opacity), self._before.selection, box)
        apply_paint(self._draft, self._layer, self._ink, alpha, box)


def _alpha(clear: np.ndarray, opacity: float) -> Bytes:
    """`opacity` times what is covered, 8 bits."""
    most = opacity * 255
    return cast("Bytes", cv2.convertScaleAbs(clear, alpha=-most / _ALL, beta=most))


def limited(alpha: Bytes, selection: Tiles | None, box: Box) -> Bytes:
    """`alpha` times the selection in a box of the canvas."""
    if selection is None:
        return alpha
    return times(alpha, selection.read(box))
