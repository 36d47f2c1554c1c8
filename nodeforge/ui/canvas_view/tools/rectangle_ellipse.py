"""Rectangle and ellipse: a selection dragged from corner to corner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath

from nodeforge.canvas import Tiles, ellipse, rectangle
from nodeforge.ui.canvas_view.rendering.outline_painting import path_both
from nodeforge.ui.canvas_view.tools.selection_tool import HOW_KEYS, SelectTool
from nodeforge.ui.canvas_view.tools.tool import CLICK, Keys, Touch

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio


class ShapeTool(SelectTool):
    """A selection that fits a rectangle."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._start: QPointF | None = None
        self._rect = QRectF()
        self._shifted = self._long = False

    def shape(self, rect: QRectF) -> Tiles:
        raise NotImplementedError

    def outline(self, rect: QRectF) -> QPainterPath:
        raise NotImplementedError

    def press(self, touch: Touch) -> None:
        self.begin(touch)
        self._start = self.studio.snap.point(touch.place, touch.zoom)
        self._rect, self._long = QRectF(), False
        self._shifted = touch.has(Keys.ShiftModifier)

    def drag(self, touch: Touch) -> None:
        if self._start is None:
            return
        self._shifted &= touch.has(Keys.ShiftModifier)
        end = self.studio.snap.point(touch.place, touch.zoom)
        way = end - self._start
        if touch.has(Keys.ShiftModifier) and not self._shifted:  # pressed after the drag began
            side = max(abs(way.x()), abs(way.y()))
            way = QPointF(side if way.x() >= 0 else -side, side if way.y() >= 0 else -side)
        self._rect = QRectF(self._start, self._start + way).normalized()
        self._long = way.manhattanLength() * touch.zoom >= CLICK
        self.studio.shown_changed.emit()

    def release(self, touch: Touch) -> None:
        self.settle()

    def settle(self) -> None:
        start, self._start = self._start, None
        if start is None:
            return
        if self._long:
            self.choose(self.shape(self._rect))
        else:
            self.clicked()
        self.studio.shown_changed.emit()

    def cancel(self) -> bool:
        had, self._start = self._start is not None, None
        self.studio.shown_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._start is not None:
            path_both(painter, camera.transform().map(self.outline(self._rect)), dashed=True)


class RectangleTool(ShapeTool):
    name, title, icon, key = "rectangle", "Rectangle", "selection", "M"
    hint = f"Drag from corner to corner. {HOW_KEYS}"

    def shape(self, rect: QRectF) -> Tiles:
        return rectangle(*(float(round(v)) for v in _edges(rect)))

    def outline(self, rect: QRectF) -> QPainterPath:
        path = QPainterPath()
        path.addRect(rect)
        return path


class EllipseTool(ShapeTool):
    name, title, icon, key = "ellipse", "Ellipse", "circle-dashed", "Shift+M"
    hint = f"Drag from corner to corner; then Shift makes a circle. {HOW_KEYS}"

    def shape(self, rect: QRectF) -> Tiles:
        return ellipse(*_edges(rect))

    def outline(self, rect: QRectF) -> QPainterPath:
        path = QPainterPath()
        path.addEllipse(rect)
        return path


def _edges(rect: QRectF) -> tuple[float, float, float, float]:
    return rect.left(), rect.top(), rect.right(), rect.bottom()
