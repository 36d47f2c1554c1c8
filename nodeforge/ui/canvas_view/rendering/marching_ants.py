"""Marching ants: the animated outline of the selection."""

from __future__ import annotations

import cv2
import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from nodeforge.canvas import Canvas, Change, ChangeKind, Tiles
from nodeforge.imaging import Box

_INTERVAL = 120
"""Milliseconds per animation step."""
_STRIPE = 8
_MOST_POINTS = 60_000
"""Maximum number of points; more detailed outlines are simplified."""


class MarchingAnts(QObject):
    """Draws the outline of the selection with moving stripes.

    Args:
        canvas: The canvas with the selection.
        static: Disables the animation.
    """

    advanced = Signal()

    def __init__(self, canvas: Canvas, static: bool = False) -> None:
        super().__init__()
        self._canvas = canvas
        self._path: QPainterPath | None = None
        self._step = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self._advance)
        self._static = static
        self.close = canvas.subscribe(self._on_canvas_changed)

    @property
    def path(self) -> QPainterPath:
        """The outline in canvas pixels."""
        if self._path is None:
            selection = self._canvas.selection
            self._path = QPainterPath() if selection is None else mask_contour(selection)
        return self._path

    def set_running(self, on: bool) -> None:
        """Start or stop the animation."""
        if on and not self._static and self._canvas.selection is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def paint(self, painter: QPainter, transform) -> None:
        if self._canvas.selection is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setBrushOrigin(self._step, 0)
        painter.setPen(QPen(_stripes(), 1))
        painter.drawPath(transform.map(self.path))
        painter.restore()

    def rect(self, transform) -> QRectF:
        """The bounding rectangle in view pixels."""
        if self._canvas.selection is None:
            return QRectF()
        return transform.mapRect(self.path.boundingRect()).adjusted(-2, -2, 2, 2)

    def _advance(self) -> None:
        self._step = (self._step + 1) % _STRIPE
        self.advanced.emit()

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        if any(change.kind in (ChangeKind.SELECTION, ChangeKind.SIZE) for change in changes):
            self._path = None
            self.set_running(True)


def mask_contour(mask: Tiles) -> QPainterPath:
    """The contour of a mask at one half, along pixel edges."""
    bounds = mask.bounds()
    path = QPainterPath()
    if bounds is None:
        return path
    around = Box(bounds.left - 1, bounds.top - 1, bounds.width + 2, bounds.height + 2)
    inside = (mask.read(around) >= 128).astype(np.uint8)
    twice = np.repeat(np.repeat(inside, 2, axis=0), 2, axis=1) if inside.size < 2**22 else inside
    scale = twice.shape[0] / inside.shape[0]
    lines, _ = cv2.findContours(twice, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    if sum(len(line) for line in lines) > _MOST_POINTS:
        lines = [line for line in lines if len(line) > 8][:2000]
    for line in lines:
        points = (line[:, 0, :] + 0.5) / scale + (around.left, around.top)
        polygon = QPolygonF([QPointF(x, y) for x, y in points.tolist()])
        polygon.append(polygon.first())
        path.addPolygon(polygon)
    return path


def _stripes() -> QBrush:
    """Diagonal black and white stripes; a textured pen is faster than a dashed one."""
    image = QImage(_STRIPE, _STRIPE, QImage.Format.Format_RGB32)
    for y in range(_STRIPE):
        for x in range(_STRIPE):
            dark = (x + y) % _STRIPE < _STRIPE // 2
            image.setPixelColor(x, y, QColor(0, 0, 0) if dark else QColor(255, 255, 255))
    return QBrush(image)
