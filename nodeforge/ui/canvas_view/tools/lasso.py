"""Lasso and polygon selection tools."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF

from nodeforge.canvas import polygon
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.outline_painting import HANDLE, draw_contrast_path
from nodeforge.ui.canvas_view.tools.selection_tool import COMBINE_HINT, SelectTool
from nodeforge.ui.canvas_view.tools.tool import CLICK, PointerEvent
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext


class LassoSelectTool(SelectTool):
    name, title, icon, key = "lasso", "Lasso", "scribble-loop", "L"
    hint = f"Draw around what to select. {COMBINE_HINT}"

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._line: list[QPointF] = []

    def press(self, pointer: PointerEvent) -> None:
        self.begin(pointer)
        self._line = [pointer.position]

    def drag(self, pointer: PointerEvent) -> None:
        if self._line and (pointer.position - self._line[-1]).manhattanLength() * pointer.zoom >= 1:
            self._line.append(pointer.position)
            self.session.overlay_changed.emit()

    def release(self, pointer: PointerEvent) -> None:
        self.commit()

    def commit(self) -> None:
        line, self._line = self._line, []
        if len(line) > 2:
            self.select_mask(polygon([(p.x(), p.y()) for p in line]))
        elif line:
            self.deselect_on_click()
        self.session.overlay_changed.emit()

    def cancel(self) -> bool:
        had, self._line = bool(self._line), []
        self.session.overlay_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._line:
            path = QPainterPath()
            path.addPolygon(camera.transform().map(QPolygonF(self._line)))
            draw_contrast_path(painter, path, dashed=True)


class PolygonSelectTool(SelectTool):
    name, title, icon, key = "polygon", "Polygon", "polygon", "Shift+L"
    hint = f"Click the corners; Enter or a double-click closes. {COMBINE_HINT}"

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._corners: list[QPointF] = []
        self._cursor = QPointF()

    def press(self, pointer: PointerEvent) -> None:
        place = self.session.snapping.snapped(pointer.position, pointer.zoom)
        if not self._corners:
            self.begin(pointer)
        elif (place - self._corners[0]).manhattanLength() * pointer.zoom < HANDLE:
            self.enter()
            return
        self._corners.append(place)
        self._cursor = place
        self.session.overlay_changed.emit()

    def hover(self, pointer: PointerEvent) -> None:
        if self._corners:
            self._cursor = self.session.snapping.snapped(pointer.position, pointer.zoom)
            self.session.overlay_changed.emit()

    def drag(self, pointer: PointerEvent) -> None:
        self.hover(pointer)

    def double_click(self, pointer: PointerEvent) -> None:
        self.enter()

    def enter(self) -> bool:
        corners, self._corners = self._corners, []
        distinct = [p for i, p in enumerate(corners) if i == 0 or _apart(p, corners[i - 1])]
        if len(distinct) > 2:
            self.select_mask(polygon([(p.x(), p.y()) for p in distinct]))
        self.session.overlay_changed.emit()
        return bool(corners)

    def backspace(self) -> bool:
        had = bool(self._corners)
        if had:
            self._corners.pop()
            self.session.overlay_changed.emit()
        return had

    def commit(self) -> None:
        self.enter()

    def cancel(self) -> bool:
        had, self._corners = bool(self._corners), []
        self.session.overlay_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._corners:
            path = QPainterPath()
            path.addPolygon(camera.transform().map(QPolygonF([*self._corners, self._cursor])))
            draw_contrast_path(painter, path, dashed=True)


def _apart(first: QPointF, second: QPointF) -> bool:
    return (first - second).manhattanLength() > 1 / CLICK
