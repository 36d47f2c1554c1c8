"""Renders the layers, tile by tile, into a cached frame of the view's size.

Repainting copies the frame; a brush dab redraws only its own rectangle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

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

from nodeforge.canvas import LEVELS, TILE, Canvas, Layer, State, visible
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.tile_images import TileImages, TileIndex

SMOOTH_UP_TO = 2.0
"""Zoom from which pixels are drawn as squares."""

_CHECK = 8
_WITHIN = Qt.ClipOperation.IntersectClip


class CanvasRenderer:
    """Renders the layers of a canvas, and optionally the masks as tints.

    Args:
        canvas: The canvas to render.
        light, dark: Colours of the transparency checkerboard.
        surround: The colour around the canvas.
    """

    def __init__(self, canvas: Canvas, light: QColor, dark: QColor, surround: QColor) -> None:
        self._canvas = canvas
        self._layers = TileImages(canvas, _not_masks)
        self._masks = TileImages(canvas, _masks)
        self._masks_shown = False
        self._frame = QImage()
        self._dirty = QRegion()
        self._ratio = 1.0
        self._drawn_transform = QTransform()
        self._draft = False
        self.set_colours(light, dark, surround)

    def close(self) -> None:
        self._layers.close()
        self._masks.close()

    def set_colours(self, light: QColor, dark: QColor, surround: QColor) -> None:
        self._chequers, self._surround = _chequers(light, dark), surround
        self.invalidate()

    def show_masks(self, on: bool) -> None:
        if on != self._masks_shown:
            self._masks_shown = on
            self.invalidate()

    def set_draft(self, on: bool) -> None:
        """Set draft mode (fast scaling), used while the view zooms or rotates."""
        if self._draft and not on:
            self.invalidate()
        self._draft = on

    def invalidate(self, rect: QRect | None = None) -> None:
        """Redraw a view rectangle, or everything, at the next paint."""
        if rect is None:
            self._frame = QImage()
        else:
            self._dirty += rect

    def paint(self, painter: QPainter, rect: QRect, camera: Camera, ratio: float) -> None:
        """Paint a rectangle of the view.

        Args:
            ratio: The device pixel ratio.
        """
        size = camera.size.toSize()
        if self._frame.isNull() or self._frame.size() != size * ratio or ratio != self._ratio:
            self._ratio = ratio
            self._frame = QImage(size * ratio, QImage.Format.Format_RGB32)
            self._frame.setDevicePixelRatio(ratio)
            self._dirty = QRegion(QRect(QPoint(), size))
        elif camera.transform() != self._drawn_transform:
            self._scroll_frame(camera.transform())
        self._drawn_transform = camera.transform()
        if not self._dirty.isEmpty():
            for part in self._dirty:
                self._draw(part.adjusted(-1, -1, 1, 1), camera)
            self._dirty = QRegion()
        source = QRectF(QPointF(rect.topLeft()) * ratio, rect.size().toSizeF() * ratio)
        painter.drawImage(QRectF(rect), self._frame, source)

    def _scroll_frame(self, transform: QTransform) -> None:
        """Scroll the frame if the transform has changed by a translation only."""
        moved = self._drawn_transform.inverted()[0] * transform
        by = QPointF(moved.dx(), moved.dy()) * self._ratio
        whole = QPoint(round(by.x()), round(by.y()))
        area = QRect(QPoint(), self._frame.deviceIndependentSize().toSize())
        self._dirty = QRegion(area)
        if moved.isScaling() or moved.isRotating() or not _is_near(by, whole):
            return
        step = QPoint(round(whole.x() / self._ratio), round(whole.y() / self._ratio))
        if not area.intersects(area.translated(step)):
            return
        fresh = QImage(self._frame.size(), self._frame.format())
        fresh.setDevicePixelRatio(self._ratio)
        painter = QPainter(fresh)
        painter.drawImage(QPointF(whole) / self._ratio, self._frame)
        painter.end()
        self._frame = fresh
        self._dirty -= QRegion(area.translated(step).adjusted(1, 1, -1, -1))

    def _draw(self, rect: QRect, camera: Camera) -> None:
        painter = QPainter(self._frame)
        painter.setClipRect(rect)
        if not self._covers(camera, rect):
            painter.fillRect(rect, self._surround)
        transform = camera.transform()
        level = level_for(camera.zoom * self._ratio)
        places = list(self._places(camera.visible_area(QRectF(rect)), level))
        if any(not self._layers.tile(place).opaque for place in places):
            self._draw_chequers(painter, rect, transform)
        scale = camera.zoom * self._ratio
        smooth = scale < SMOOTH_UP_TO and not _exact(camera, self._ratio) and not self._draft
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.setTransform(transform)
        painter.setClipRect(QRectF(0, 0, *self._canvas.size), _WITHIN)
        scale = 2.0**level
        painter.scale(scale, scale)
        self._draw_tiles(painter, self._layers, places)
        if self._masks_shown:
            self._draw_tiles(painter, self._masks, places)
        painter.end()

    def _draw_tiles(
        self, painter: QPainter, tiles: TileImages, places: Iterable[TileIndex]
    ) -> None:
        for place in places:
            image = tiles.tile(place).image
            if image is not None:
                painter.drawImage(QPointF(place[1] * TILE, place[2] * TILE), image)

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

    def _places(self, seen: QRectF, level: int) -> Iterator[TileIndex]:
        seen = seen & QRectF(0, 0, *self._canvas.size)
        if seen.isEmpty():
            return
        side = TILE * 2**level
        for row in range(int(seen.top() // side), math.ceil(seen.bottom() / side)):
            for column in range(int(seen.left() // side), math.ceil(seen.right() / side)):
                yield level, column, row

    def _covers(self, camera: Camera, rect: QRect) -> bool:
        """Whether the canvas covers all of `rect`."""
        if camera.rotation:
            return False
        whole = camera.transform().mapRect(QRectF(0, 0, *self._canvas.size))
        return whole.contains(QRectF(rect))


def level_for(scale: float) -> int:
    """The smallest mipmap level that is not enlarged at this scale."""
    if scale >= 1:
        return 0
    return min(math.floor(math.log2(1 / scale) + 1e-6), LEVELS - 1)


def _not_masks(state: State) -> Iterator[Layer]:
    return (layer for layer in visible(state) if not layer.is_mask)


def _masks(state: State) -> Iterator[Layer]:
    return (layer for layer in visible(state) if layer.is_mask)


def _exact(camera: Camera, ratio: float) -> bool:
    """Whether tile pixels map one to one to screen pixels."""
    scale = camera.zoom * ratio * 2 ** level_for(camera.zoom * ratio)
    return not camera.rotation and abs(scale - 1) < 1e-6


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


def _is_near(place: QPointF, whole: QPoint) -> bool:
    return (place - QPointF(whole)).manhattanLength() < 1e-3
