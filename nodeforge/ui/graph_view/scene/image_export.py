"""Renders the graph to an image or to SVG."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from nodeforge.ui.graph_view.scene.graph_scene import GraphScene
from nodeforge.ui.graph_view.scene.overview import bounding_rect

MARGIN = 40
MOST_PIXELS = 8192


def as_image(scene: GraphScene, scale: float = 2.0) -> QImage:
    """The shown graph at `scale` pixels per scene unit; no side exceeds 8192 pixels."""
    area = _area(scene)
    scale = min(scale, MOST_PIXELS / area.width(), MOST_PIXELS / area.height())
    size = QSize(max(1, round(area.width() * scale)), max(1, round(area.height() * scale)))
    image = QImage(size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.scale(scale, scale)
    _paint(painter, scene, area)
    painter.end()
    return image


def as_svg(scene: GraphScene) -> bytes:
    """The shown graph as an SVG file."""
    area = _area(scene)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    made = QSvgGenerator()
    made.setOutputDevice(buffer)
    made.setViewBox(QRectF(0, 0, area.width(), area.height()))
    made.setSize(QSize(round(area.width()), round(area.height())))
    made.setTitle("NodeForge workflow")
    painter = QPainter(made)
    _paint(painter, scene, area)
    painter.end()
    return bytes(buffer.data().data())


def _area(scene: GraphScene) -> QRectF:
    items = [*scene.node_items.values(), *scene.frame_items.values()]
    area = bounding_rect(item.body() for item in items) if items else QRectF(0, 0, 320, 200)
    return area.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)


def _paint(painter: QPainter, scene: GraphScene, area: QRectF) -> None:
    painter.translate(-area.topLeft())
    painter.fillRect(area, scene.pens.theme.window)
    plain = QStyleOptionGraphicsItem()
    for layer in (scene.frame_items, scene.node_items, scene.link_items):
        for item in layer.values():
            painter.save()
            painter.translate(item.pos())
            item.paint(painter, plain, None)
            painter.restore()
