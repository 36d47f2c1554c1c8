"""The background of the graph view: a grid of dots."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QPainter, QPixmap, QTransform

from nodeforge.ui.common.theme import Theme

GRID = 24
"""Scene units between dots."""
FAINT = 0.4
"""Zoom below which the dots are not drawn."""


class BackgroundGrid:
    """Paints the background grid, in view pixels."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._tiles: dict[int, QPixmap] = {}

    def paint(self, painter: QPainter, look: QTransform, view: QRect) -> None:
        """Paint the rectangle `view`; `look` is the viewport transform."""
        painter.fillRect(view, self._theme.window)
        if look.m11() >= FAINT:
            side = round(GRID * look.m11())
            start = QPoint(-round(look.dx()) % side, -round(look.dy()) % side)
            painter.drawTiledPixmap(view, self._tile(side), start)

    def _tile(self, side: int) -> QPixmap:
        if side not in self._tiles:
            port_item = 2 if side > GRID else 1
            tile = QPixmap(side, side)
            tile.fill(self._theme.window)
            painter = QPainter(tile)
            painter.fillRect(0, 0, port_item, port_item, self._theme.line)
            painter.end()
            self._tiles[side] = tile
        return self._tiles[side]
