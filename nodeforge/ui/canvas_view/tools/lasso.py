"""Lasso and polygon: a selection by a line around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF

from nodeforge.canvas import polygon
from nodeforge.ui.canvas_view.rendering.outline_painting import HANDLE, path_both
from nodeforge.ui.canvas_view.tools.selection_tool import HOW_KEYS, SelectTool
from nodeforge.ui.canvas_view.tools.tool import CLICK, Touch

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio


class LassoTool(SelectTool):
    name, title, icon, key = "lasso", "Lasso", "scribble-loop", "L"
    hint = f"Draw around what to select. {HOW_KEYS}"

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._line: list[QPointF] = []

    def press(self, touch: Touch) -> None:
        self.begin(touch)
        self._line = [touch.place]

    def drag(self, touch: Touch) -> None:
        if self._line and (touch.place - self._line[-1]).manhattanLength() * touch.zoom >= 1:
            self._line.append(touch.place)
            self.studio.shown_changed.emit()

    def release(self, touch: Touch) -> None:
        self.settle()

    def settle(self) -> None:
        line, self._line = self._line, []
        if len(line) > 2:
            self.choose(polygon([(p.x(), p.y()) for p in line]))
        elif line:
            self.clicked()
        self.studio.shown_changed.emit()

    def cancel(self) -> bool:
        had, self._line = bool(self._line), []
        self.studio.shown_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._line:
            path = QPainterPath()
            path.addPolygon(camera.transform().map(QPolygonF(self._line)))
            path_both(painter, path, dashed=True)


class PolygonTool(SelectTool):
    name, title, icon, key = "polygon", "Polygon", "polygon", "Shift+L"
    hint = f"Click the corners; Enter or a double-click closes. {HOW_KEYS}"

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._corners: list[QPointF] = []
        self._here = QPointF()

    def press(self, touch: Touch) -> None:
        place = self.studio.snap.point(touch.place, touch.zoom)
        if not self._corners:
            self.begin(touch)
        elif (place - self._corners[0]).manhattanLength() * touch.zoom < HANDLE:
            self.enter()
            return
        self._corners.append(place)
        self._here = place
        self.studio.shown_changed.emit()

    def hover(self, touch: Touch) -> None:
        if self._corners:
            self._here = self.studio.snap.point(touch.place, touch.zoom)
            self.studio.shown_changed.emit()

    def drag(self, touch: Touch) -> None:
        self.hover(touch)

    def double(self, touch: Touch) -> None:
        self.enter()

    def enter(self) -> bool:
        corners, self._corners = self._corners, []
        distinct = [p for i, p in enumerate(corners) if i == 0 or _apart(p, corners[i - 1])]
        if len(distinct) > 2:
            self.choose(polygon([(p.x(), p.y()) for p in distinct]))
        self.studio.shown_changed.emit()
        return bool(corners)

    def backspace(self) -> bool:
        had = bool(self._corners)
        if had:
            self._corners.pop()
            self.studio.shown_changed.emit()
        return had

    def settle(self) -> None:
        self.enter()

    def cancel(self) -> bool:
        had, self._corners = bool(self._corners), []
        self.studio.shown_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._corners:
            path = QPainterPath()
            path.addPolygon(camera.transform().map(QPolygonF([*self._corners, self._here])))
            path_both(painter, path, dashed=True)


def _apart(first: QPointF, second: QPointF) -> bool:
    return (first - second).manhattanLength() > 1 / CLICK
