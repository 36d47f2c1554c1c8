"""The Crop tool: crops the canvas to a rectangle, or extends it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF, QTransform

from nodeforge.canvas import crop_canvas
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.tools.rect_handles import (
    INSIDE,
    Handle,
    handle_at,
    handle_cursor,
    paint_rect,
    resized,
)
from nodeforge.ui.canvas_view.tools.tool import CLICK, Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext

_SHADE = QColor(0, 0, 0, 120)
_HANDLES = QColor("#5b9dff")


class CropTool(Tool):
    name, title, icon, key = "crop", "Crop", "crop", "C"
    hint = "Drag a rectangle; Enter crops, Esc cancels. Outside the border it extends the canvas."

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._rect: QRectF | None = None
        self._before = QRectF()
        self._handle: Handle | None = None
        self._start: QPointF | None = None
        self._view: QTransform | None = None

    @property
    def rect(self) -> QRectF:
        return QRectF(self._rect if self._rect is not None else self.session.canvas_rect())

    def press(self, pointer: PointerEvent) -> None:
        self._handle = self._handle_at(pointer)
        if self._handle == INSIDE and self._rect is None:
            self._handle = None  # nothing is cropped yet: a drag begins
        self._start, self._before = pointer.position, self.rect

    def drag(self, pointer: PointerEvent) -> None:
        if self._start is None:
            return
        snap, by = self.session.snapping, pointer.position - self._start
        if self._handle is None:
            if by.manhattanLength() * pointer.zoom < CLICK:
                return
            first, last = (snap.snapped(p, pointer.zoom) for p in (self._start, pointer.position))
            rect = QRectF(first, last).normalized()
        else:
            rect = resized(
                self._before, self._handle, by, keep=pointer.has(Modifiers.ShiftModifier)
            )
        self._rect = _rounded(rect)
        self.session.overlay_changed.emit()

    def release(self, pointer: PointerEvent) -> None:
        self._start = None

    def double_click(self, pointer: PointerEvent) -> None:
        self.enter()

    def cursor_at(self, pointer: PointerEvent) -> Qt.CursorShape:
        return handle_cursor(self._handle_at(pointer))

    def enter(self) -> bool:
        rect, self._rect, self._start = self._rect, None, None
        if rect is not None:
            box = Box(int(rect.left()), int(rect.top()), int(rect.width()), int(rect.height()))
            self.session.perform(crop_canvas(self.session.canvas, box))
        self.session.overlay_changed.emit()
        return rect is not None

    def deactivate(self) -> None:
        self.cancel()

    def cancel(self) -> bool:
        had, self._rect, self._start = self._rect is not None, None, None
        self.session.overlay_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        self._view = to_view = camera.transform()
        rect = self.rect
        shade = QPainterPath()
        shade.addRect(QRectF(0, 0, camera.size.width(), camera.size.height()))
        hole = QPainterPath()
        hole.addPolygon(to_view.map(QPolygonF(rect)))
        if self._rect is not None:
            painter.fillPath(shade - hole, _SHADE)
        paint_rect(painter, rect, to_view, _HANDLES)

    def _handle_at(self, pointer: PointerEvent) -> Handle | None:
        return (
            handle_at(self.rect, self._view, pointer.view_position)
            if self._view is not None
            else None
        )


def _rounded(rect: QRectF) -> QRectF:
    """Rounded to whole pixels, at least one pixel wide and high."""
    left, top = round(rect.left()), round(rect.top())
    width, height = (max(1, round(v)) for v in (rect.width(), rect.height()))
    return QRectF(left, top, width, height)
