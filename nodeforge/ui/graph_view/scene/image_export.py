"""The graph as a picture: PNG, or SVG, whose text stays sharp at any size."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from nodeforge.ui.graph_view.scene.graph_scene import Picture
from nodeforge.ui.graph_view.scene.overview import bounds

MARGIN = 40
MOST_PIXELS = 8192


def as_image(picture: Picture, scale: float = 2.0) -> QImage:
    """All that is shown, at `scale` pixels a scene unit, fewer if a side would exceed 8192."""
    area = _area(picture)
    scale = min(scale, MOST_PIXELS / area.width(), MOST_PIXELS / area.height())
    size = QSize(max(1, round(area.width() * scale)), max(1, round(area.height() * scale)))
    image = QImage(size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.scale(scale, scale)
    _paint(painter, picture, area)
    painter.end()
    return image


def as_svg(picture: Picture) -> bytes:
    """All that is shown, as an SVG file."""
    area = _area(picture)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    made = QSvgGenerator()
    made.setOutputDevice(buffer)
    made.setViewBox(QRectF(0, 0, area.width(), area.height()))
    made.setSize(QSize(round(area.width()), round(area.height())))
    made.setTitle("NodeForge workflow")
    painter = QPainter(made)
    _paint(painter, picture, area)
    painter.end()
    return bytes(buffer.data().data())


def _area(picture: Picture) -> QRectF:
    items = [*picture.boxes.values(), *picture.frames.values()]
    area = bounds(item.body() for item in items) if items else QRectF(0, 0, 320, 200)
    return area.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)


def _paint(painter: QPainter, picture: Picture, area: QRectF) -> None:
    painter.translate(-area.topLeft())
    painter.fillRect(area, picture.ink.theme.window)
    plain = QStyleOptionGraphicsItem()
    for layer in (picture.frames, picture.lines, picture.boxes):
        for item in layer.values():
            painter.save()
            painter.translate(item.pos())
            item.paint(painter, plain, None)
            painter.restore()
