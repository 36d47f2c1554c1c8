"""What the layers show, drawn tile by tile into a frame of the view's size.

The frame is kept: a repaint is one blit, a dab draws its own rectangle anew. Tiles are turned
into Qt's own order of colours once, which draws three to eight times faster than RGBA does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QPainter,
    QPainterPath,
    QPixmap,
    QPolygonF,
    QRegion,
    QTransform,
)

from nodeforge.canvas import LEVELS, TILE, Canvas, Change, CompositeTiles, What
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.camera import Camera

_KEPT = 320
"""Tiles kept in Qt's order of colours, of 256 KiB each: five views of 1920 x 1080."""

_SMOOTH_UP_TO = 2.0
"""From this zoom on, pixels are shown as squares."""

_CHECK = 8

_WITHIN = Qt.ClipOperation.IntersectClip

Place = tuple[int, int, int]
"""Level, column and row of a tile."""


@dataclass
class _Shown:
    """A tile as Qt draws it fastest; None for what is transparent all over."""

    image: QImage | None
    pixels: np.ndarray | None
    opaque: bool = False
    stale: bool = False


class CanvasPicture:
    """The layers of a canvas as a view shows them.

    Args:
        canvas: Whose layers.
        light, dark: The colours of the chequers behind what is transparent.
        ground: The colour around the canvas.
    """

    def __init__(self, canvas: Canvas, light: QColor, dark: QColor, ground: QColor) -> None:
        self._canvas = canvas
        self._tiles = CompositeTiles(canvas)
        self._shown: dict[Place, _Shown] = {}
        self._frame = QImage()
        self._dirty = QRegion()
        self._ratio = 1.0
        self.wear(light, dark, ground)
        self._end = canvas.subscribe(self._hear)

    def close(self) -> None:
        self._end()
        self._tiles.close()

    def wear(self, light: QColor, dark: QColor, ground: QColor) -> None:
        self._chequers, self._ground = _chequers(light, dark), ground
        self.spoil()

    def spoil(self, rect: QRect | None = None) -> None:
        """Draw a rectangle of the view, or all of it, anew when it is painted next."""
        if rect is None:
            self._frame = QImage()
        else:
            self._dirty += rect

    def paint(self, painter: QPainter, rect: QRect, camera: Camera, ratio: float) -> None:
        """Paint `rect` of the view.

        Args:
            ratio: Pixels of the screen a pixel of the widget.
        """
        size = camera.size.toSize()
        if self._frame.isNull() or self._frame.size() != size * ratio or ratio != self._ratio:
            self._ratio = ratio
            self._frame = QImage(size * ratio, QImage.Format.Format_RGB32)
            self._frame.setDevicePixelRatio(ratio)
            self._dirty = QRegion(QRect(QPoint(), size))
        if not self._dirty.isEmpty():
            for part in self._dirty:
                self._draw(part.adjusted(-1, -1, 1, 1), camera)
            self._dirty = QRegion()
        source = QRectF(QPointF(rect.topLeft()) * ratio, rect.size().toSizeF() * ratio)
        painter.drawImage(QRectF(rect), self._frame, source)

    def _draw(self, rect: QRect, camera: Camera) -> None:
        painter = QPainter(self._frame)
        painter.setClipRect(rect)
        inside = _clear_of(camera, self._canvas, rect)
        if not inside:
            painter.fillRect(rect, self._ground)
        transform = camera.transform()
        level = level_for(camera.zoom * self._ratio)
        seen = camera.seen(QRectF(rect))
        places = list(self._places(seen, level))
        if any(not self._tile(place).opaque for place in places):
            self._draw_chequers(painter, rect, transform)
        smooth = camera.zoom * self._ratio < _SMOOTH_UP_TO and not _exact(camera, self._ratio)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.setTransform(transform)
        painter.setClipRect(QRectF(0, 0, *self._canvas.size), _WITHIN)
        scale = 2.0**level
        painter.scale(scale, scale)
        for place in places:
            image = self._tile(place).image
            if image is not None:
                painter.drawImage(QPointF(place[1] * TILE, place[2] * TILE), image)
        painter.end()

    def _draw_chequers(self, painter: QPainter, rect: QRect, transform: QTransform) -> None:
        painter.save()
        whole = QRectF(0, 0, *self._canvas.size)
        if transform.isRotating():
            painter.setClipPath(_polygon(transform, whole), _WITHIN)
            painter.fillRect(rect, self._chequers)
        else:
            area = transform.mapRect(whole).toAlignedRect()
            painter.setBrushOrigin(transform.map(QPointF()))
            painter.fillRect(area & rect, self._chequers)
        painter.restore()

    def _places(self, seen: QRectF, level: int) -> Iterator[Place]:
        width, height = self._canvas.size
        seen = seen & QRectF(0, 0, width, height)
        if seen.isEmpty():
            return
        side = TILE * 2**level
        for row in range(int(seen.top() // side), math.ceil(seen.bottom() / side)):
            for column in range(int(seen.left() // side), math.ceil(seen.right() / side)):
                yield level, column, row

    def _tile(self, place: Place) -> _Shown:
        shown = self._shown.pop(place, None)
        if shown is None or shown.stale:
            shown = self._made(place, shown)
        self._shown[place] = shown  # as the one used last
        if len(self._shown) > _KEPT:
            del self._shown[next(iter(self._shown))]
        return shown

    def _made(self, place: Place, before: _Shown | None) -> _Shown:
        level, column, row = place
        pixels = self._tiles.tile(column, row, level)
        if pixels is None:
            return _Shown(None, None)
        own = before.pixels if before is not None else None
        turned = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA, dst=own))
        opaque = cv2.minMaxLoc(cv2.extractChannel(pixels, 3))[0] == 255
        formats = QImage.Format
        kind = formats.Format_RGB32 if opaque else formats.Format_ARGB32_Premultiplied
        image = QImage(turned.data, TILE, TILE, TILE * 4, kind)
        return _Shown(image, turned, opaque)

    def _hear(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            if change.what is What.SIZE:
                self._shown.clear()
                self.spoil()
            elif change.box is not None and change.what is not What.SELECTION:
                self._outdate(change.box)

    def _outdate(self, box: Box) -> None:
        for place, shown in self._shown.items():
            side = TILE * 2 ** place[0]
            if Box(place[1] * side, place[2] * side, side, side).overlap(box) is not None:
                shown.stale = True


def level_for(scale: float) -> int:
    """The smallest pictures that are not enlarged at `scale` screen pixels a canvas pixel."""
    if scale >= 1:
        return 0
    return min(math.floor(math.log2(1 / scale) + 1e-6), LEVELS - 1)


def _exact(camera: Camera, ratio: float) -> bool:
    """Whether each pixel of the tiles is one of the screen."""
    scale = camera.zoom * ratio * 2 ** level_for(camera.zoom * ratio)
    return not camera.turn and abs(scale - 1) < 1e-6


def _clear_of(camera: Camera, canvas: Canvas, rect: QRect) -> bool:
    """Whether all of `rect` shows the canvas."""
    if camera.turn:
        return False
    whole = camera.transform().mapRect(QRectF(0, 0, *canvas.size))
    return whole.contains(QRectF(rect))


def _chequers(light: QColor, dark: QColor) -> QBrush:
    pixmap = QPixmap(2 * _CHECK, 2 * _CHECK)
    pixmap.fill(light)
    painter = QPainter(pixmap)
    painter.fillRect(0, 0, _CHECK, _CHECK, dark)
    painter.fillRect(_CHECK, _CHECK, _CHECK, _CHECK, dark)
    painter.end()
    return QBrush(pixmap)


def _polygon(transform: QTransform, rect: QRectF) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(transform.map(QPolygonF(rect)))
    return path
