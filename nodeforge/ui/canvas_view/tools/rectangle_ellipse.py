"""Rectangle and ellipse selection tools."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath

from nodeforge.canvas import Tiles, ellipse, rectangle
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.outline_painting import draw_contrast_path
from nodeforge.ui.canvas_view.tools.selection_tool import COMBINE_HINT, SelectTool
from nodeforge.ui.canvas_view.tools.tool import CLICK, Modifiers, PointerEvent
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext


class ShapeSelectTool(SelectTool):
    """Base class of selection tools that drag a rectangle."""

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._start: QPointF | None = None
        self._rect = QRectF()
        self._shifted = self._dragged_far = False

    def shape(self, rect: QRectF) -> Tiles:
        raise NotImplementedError

    def outline(self, rect: QRectF) -> QPainterPath:
        raise NotImplementedError

    def press(self, pointer: PointerEvent) -> None:
        self.begin(pointer)
        self._start = self.session.snapping.snapped(pointer.position, pointer.zoom)
        self._rect, self._dragged_far = QRectF(), False
        self._shifted = pointer.has(Modifiers.ShiftModifier)

    def drag(self, pointer: PointerEvent) -> None:
        if self._start is None:
            return
        self._shifted &= pointer.has(Modifiers.ShiftModifier)
        end = self.session.snapping.snapped(pointer.position, pointer.zoom)
        way = end - self._start
        if (
            pointer.has(Modifiers.ShiftModifier) and not self._shifted
        ):  # pressed after the drag began
            side = max(abs(way.x()), abs(way.y()))
            way = QPointF(side if way.x() >= 0 else -side, side if way.y() >= 0 else -side)
        self._rect = QRectF(self._start, self._start + way).normalized()
        self._dragged_far = way.manhattanLength() * pointer.zoom >= CLICK
        self.session.overlay_changed.emit()

    def release(self, pointer: PointerEvent) -> None:
        self.commit()

    def commit(self) -> None:
        start, self._start = self._start, None
        if start is None:
            return
        if self._dragged_far:
            self.select_mask(self.shape(self._rect))
        else:
            self.deselect_on_click()
        self.session.overlay_changed.emit()

    def cancel(self) -> bool:
        had, self._start = self._start is not None, None
        self.session.overlay_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._start is not None:
            draw_contrast_path(
                painter, camera.transform().map(self.outline(self._rect)), dashed=True
            )


class RectangleSelectTool(ShapeSelectTool):
    name, title, icon, key = "rectangle", "Rectangle", "selection", "M"
    hint = f"Drag from corner to corner. {COMBINE_HINT}"

    def shape(self, rect: QRectF) -> Tiles:
        return rectangle(*(float(round(v)) for v in _edges(rect)))

    def outline(self, rect: QRectF) -> QPainterPath:
        path = QPainterPath()
        path.addRect(rect)
        return path


class EllipseSelectTool(ShapeSelectTool):
    name, title, icon, key = "ellipse", "Ellipse", "circle-dashed", "Shift+M"
    hint = f"Drag from corner to corner; then Shift makes a circle. {COMBINE_HINT}"

    def shape(self, rect: QRectF) -> Tiles:
        return ellipse(*_edges(rect))

    def outline(self, rect: QRectF) -> QPainterPath:
        path = QPainterPath()
        path.addEllipse(rect)
        return path


def _edges(rect: QRectF) -> tuple[float, float, float, float]:
    return rect.left(), rect.top(), rect.right(), rect.bottom()
