"""Outlines of mask layers, shown while their tints are hidden."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from nodeforge.canvas import Canvas, Layer, Tiles, visible
from nodeforge.ui.canvas_view.rendering.marching_ants import mask_contour
from nodeforge.ui.canvas_view.rendering.outline_painting import DARK


class MaskOutlines:
    """Draws mask outlines; caches each until its mask changes."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._paths: dict[str, tuple[Tiles, QPainterPath]] = {}

    def paint(self, painter: QPainter, transform: QTransform) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for layer in visible(self._canvas.state):
            if layer.is_mask:
                path = transform.map(self._path(layer).translated(*layer.offset))
                for pen in (QPen(DARK, 3), QPen(QColor(layer.tint), 1)):
                    painter.setPen(pen)
                    painter.drawPath(path)

    def _path(self, layer: Layer) -> QPainterPath:
        kept = self._paths.get(layer.id)
        if kept is None or kept[0] is not layer.tiles:
            kept = self._paths[layer.id] = layer.tiles, mask_contour(layer.tiles)
        return kept[1]
