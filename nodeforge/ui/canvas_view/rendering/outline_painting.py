"""Draws outlines and handles that are visible on any picture: light over dark."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

DARK, LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255)
HANDLE = 8.0
"""Width of a handle, view pixels."""
_CORNER = 20.0
"""Length of the sides of a corner, view pixels."""


def contrast_pens(dashed: bool = False) -> tuple[QPen, QPen]:
    """A wide dark pen and a thin light pen to draw over it."""
    below, above = QPen(DARK, 3), QPen(LIGHT, 1)
    if dashed:
        above.setDashPattern([4, 3])
    return below, above


def draw_contrast_line(painter: QPainter, start: QPointF, end: QPointF) -> None:
    for pen in contrast_pens():
        painter.setPen(pen)
        painter.drawLine(start, end)


def draw_contrast_path(painter: QPainter, path: QPainterPath, dashed: bool = False) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in contrast_pens(dashed):
        painter.setPen(pen)
        painter.drawPath(path)


def draw_contrast_polygon(painter: QPainter, polygon: QPolygonF, dashed: bool = False) -> None:
    path = QPainterPath()
    path.addPolygon(polygon)
    draw_contrast_path(painter, path, dashed)


def draw_corners(painter: QPainter, polygon: QPolygonF, colour: QColor) -> None:
    """Draw the corners of a polygon, each with a piece of its sides, in a colour over dark."""
    count = polygon.size() - polygon.isClosed()
    points = [polygon.at(index) for index in range(count)]
    path = QPainterPath()
    for index, corner in enumerate(points):
        for other in (points[index - 1], points[(index + 1) % len(points)]):
            side = QLineF(corner, other)
            side.setLength(min(_CORNER, side.length() / 3))
            path.moveTo(side.p1())
            path.lineTo(side.p2())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(DARK, 5), QPen(colour, 3)):
        painter.setPen(pen)
        painter.drawPath(path)


def draw_handle(painter: QPainter, at: QPointF, colour: QColor) -> None:
    """Draw a square handle."""
    painter.setPen(QPen(DARK, 1))
    painter.setBrush(LIGHT)
    half = HANDLE / 2
    painter.drawRect(QRectF(at.x() - half, at.y() - half, HANDLE, HANDLE))
    painter.setPen(QPen(colour, 1))
    painter.drawRect(QRectF(at.x() - half + 1, at.y() - half + 1, HANDLE - 2, HANDLE - 2))
