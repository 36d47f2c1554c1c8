"""Rulers of the canvas view; dragging out of a ruler creates a guide."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from nodeforge.ui.canvas_view.tools.snapping import Guide
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.common.theme import SMALL

THICKNESS = 20
_LABEL_DISTANCE = 60
"""Minimum distance between labels, view pixels."""


class Ruler(QWidget):
    """A ruler in canvas pixels along one edge of the view.

    Args:
        horizontal: Above the view; otherwise on its left.
    """

    def __init__(self, view: CanvasView, *, horizontal: bool) -> None:
        super().__init__()
        self._view, self._horizontal = view, horizontal
        self._at: float | None = None
        self._guide: Guide | None = None
        policies = QSizePolicy.Policy
        wide, high = (policies.Expanding, policies.Fixed)[:: 1 if horizontal else -1]
        self.setSizePolicy(wide, high)
        self.setAccessibleName("Ruler")
        self.setToolTip("Drag into the canvas to add a guide")
        shapes = Qt.CursorShape
        self.setCursor(shapes.SplitVCursor if horizontal else shapes.SplitHCursor)
        view.view_changed.connect(self.update)
        view.cursor_moved.connect(self._show_cursor)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(THICKNESS, THICKNESS)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        theme, camera = self._view.overlay.theme, self._view.camera
        painter.fillRect(self.rect(), theme.panel)
        painter.setPen(theme.line)
        edge = self.rect().adjusted(0, 0, -1, -1)
        if self._horizontal:
            painter.drawLine(edge.bottomLeft(), edge.bottomRight())
        else:
            painter.drawLine(edge.topRight(), edge.bottomRight())
        if camera.rotation:
            return  # a turned canvas has no straight rulers
        painter.setFont(theme.font(SMALL))
        self._paint_marks(painter)
        if self._at is not None:
            painter.setPen(QPen(theme.accent, 1))
            self._mark(painter, self._at, THICKNESS)

    def _paint_marks(self, painter: QPainter) -> None:
        theme, camera = self._view.overlay.theme, self._view.camera
        length = self.width() if self._horizontal else self.height()
        seen = camera.visible_area(QRectF(0, 0, camera.size.width(), camera.size.height()))
        first = seen.left() if self._horizontal else seen.top()
        step = _step(_LABEL_DISTANCE / camera.zoom)
        number = math.floor(first / step)
        while True:
            value = number * step
            place = self._place(value)
            if place > length:
                return
            painter.setPen(theme.dim)
            self._mark(painter, place, THICKNESS / 2)
            for tenth in range(1, 5):
                self._mark(painter, self._place(value + tenth * step / 5), THICKNESS / 5)
            self._write(painter, place, f"{value:g}")
            number += 1

    def _mark(self, painter: QPainter, place: float, long: float) -> None:
        place = round(place)
        if self._horizontal:
            painter.drawLine(QPointF(place, THICKNESS - long), QPointF(place, THICKNESS))
        else:
            painter.drawLine(QPointF(THICKNESS - long, place), QPointF(THICKNESS, place))

    def _write(self, painter: QPainter, place: float, text: str) -> None:
        if self._horizontal:
            painter.drawText(QPointF(place + 3, 11), text)
            return
        painter.save()
        painter.translate(11, place + 3)
        painter.rotate(90)
        painter.drawText(QPointF(0, 0), text)
        painter.restore()

    def _place(self, value: float) -> float:
        """The ruler position of a canvas coordinate."""
        at = self._view.camera.to_view(QPointF(value, value))
        return at.x() if self._horizontal else at.y()

    def _show_cursor(self, place: QPointF | None) -> None:
        at = None if place is None else self._view.camera.to_view(place)
        self._at = None if at is None else at.x() if self._horizontal else at.y()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._guide = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        place, snap = self._place_of(event), self._view.session.snapping
        if self._guide is None:
            value = place.y() if self._horizontal else place.x()
            self._guide = snap.add_guide(value, is_horizontal=self._horizontal)
        else:
            snap.move_guide(self._guide, place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        back = event.position().y() if self._horizontal else event.position().x()
        if self._guide is not None and back < THICKNESS:
            self._view.session.snapping.remove_guide(self._guide)
        self._guide = None

    def _place_of(self, event: QMouseEvent) -> QPointF:
        """The canvas position under the mouse."""
        at = QPointF(self._view.mapFromGlobal(event.globalPosition().toPoint()))
        return self._view.camera.to_canvas(at)


def _step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... that is at least `least`."""
    least = max(least, 1.0)
    tens = 10 ** math.floor(math.log10(least))
    return next(tens * times for times in (1, 2, 5, 10) if tens * times >= least)
