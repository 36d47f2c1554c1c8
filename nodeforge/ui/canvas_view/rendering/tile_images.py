"""Composite tiles cached as QImages in Qt's native pixel format.

A tile in the native format is drawn three to eight times faster than as RGBA.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtGui import QImage

from nodeforge.canvas import LEVELS, TILE, Canvas, Change, ChangeKind, CompositeTiles, Layer, State
from nodeforge.imaging import Box

_KEPT = 320
"""Number of cached tiles, 256 KiB each: five views of 1920 x 1080."""

TileIndex = tuple[int, int, int]
"""(level, column, row) of a tile."""


@dataclass
class TileImage:
    """A tile in Qt's native pixel format.

    Args:
        image: None for a transparent tile.
        opaque: Whether all its pixels are opaque.
    """

    image: QImage | None = None
    opaque: bool = False
    pixels: np.ndarray | None = None
    stale: Box | None = None
    """The outdated part, in pixels of its level."""


class TileImages:
    """Caches tile images until they change.

    Args:
        choice: Selects the layers, the lowest first.
    """

    def __init__(self, canvas: Canvas, choice: Callable[[State], Iterable[Layer]]) -> None:
        self._tiles = CompositeTiles(canvas, choice)
        self._kept: dict[TileIndex, TileImage] = {}
        self._end = canvas.subscribe(self._on_canvas_changed)

    def close(self) -> None:
        self._end()
        self._tiles.close()

    def tile(self, place: TileIndex) -> TileImage:
        shown = self._kept.pop(place, None)
        if shown is None or (shown.stale is not None and shown.pixels is None):
            shown = self._made(place)
        elif shown.stale is not None:
            self._renew(place, shown, shown.stale)
        self._kept[place] = shown  # as the one used last
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return shown

    def _made(self, place: TileIndex) -> TileImage:
        level, column, row = place
        pixels = self._tiles.tile(column, row, level)
        if pixels is None:
            return TileImage()
        turned = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
        opaque = _is_opaque(pixels)
        return TileImage(_wrapped(turned, opaque), opaque, turned)

    def _renew(self, place: TileIndex, shown: TileImage, part: Box) -> None:
        """Convert a part of a tile again. A tile that became opaque is still drawn with alpha."""
        level, column, row = place
        pixels = self._tiles.tile(column, row, level)
        assert pixels is not None
        assert shown.pixels is not None
        shown.stale = None
        left, top = part.left - column * TILE, part.top - row * TILE
        there = slice(top, top + part.height), slice(left, left + part.width)
        cv2.cvtColor(pixels[there], cv2.COLOR_RGBA2BGRA, dst=shown.pixels[there])
        if shown.opaque and not _is_opaque(pixels[there]):
            shown.opaque = False
            shown.image = _wrapped(shown.pixels, opaque=False)

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if change.kind is ChangeKind.SIZE:
                self._kept.clear()
            elif change.box is not None and change.kind is not ChangeKind.SELECTION:
                self._outdate(change.box)

    def _outdate(self, box: Box) -> None:
        boxes = [box]
        for _ in range(1, LEVELS):
            box = _halved(box)
            boxes.append(box)
        for (level, column, row), shown in self._kept.items():
            part = Box(column * TILE, row * TILE, TILE, TILE).overlap(boxes[level])
            if part is not None:
                shown.stale = part.around(shown.stale)


def _halved(box: Box) -> Box:
    """The box in pixels of the next smaller level."""
    left, top = box.left // 2, box.top // 2
    return Box(left, top, -(-box.right // 2) - left, -(-box.bottom // 2) - top)


def _is_opaque(pixels: np.ndarray) -> bool:
    return cv2.minMaxLoc(cv2.extractChannel(pixels, 3))[0] == 255


def _wrapped(pixels: np.ndarray, opaque: bool) -> QImage:
    formats = QImage.Format
    kind = formats.Format_RGB32 if opaque else formats.Format_ARGB32_Premultiplied
    return QImage(pixels.data, TILE, TILE, TILE * 4, kind)
