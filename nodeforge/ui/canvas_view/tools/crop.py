"""Crop: keeps a rectangle of the canvas, or makes it larger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF, QTransform

from nodeforge.canvas import crop_canvas
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.tools.rect_handles import (
    INSIDE,
    Grip,
    cursor_of,
    grip_at,
    paint_rect,
    resized,
)
from nodeforge.ui.canvas_view.tools.tool import CLICK, Keys, Tool, Touch

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio

_SHADE = QColor(0, 0, 0, 120)
_HANDLES = QColor("#5b9dff")


class CropTool(Tool):
    name, title, icon, key = "crop", "Crop", "crop", "C"
    hint = "Drag a rectangle; Enter crops, Esc leaves it. Beyond the border it makes room."

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._rect: QRectF | None = None
        self._before = QRectF()
        self._grip: Grip | None = None
        self._start: QPointF | None = None
        self._view: QTransform | None = None

    @property
    def rect(self) -> QRectF:
        return QRectF(self._rect if self._rect is not None else self.studio.whole())

    def press(self, touch: Touch) -> None:
        self._grip = self._grip_at(touch)
        if self._grip == INSIDE and self._rect is None:
            self._grip = None  # nothing is cropped yet: a drag begins
        self._start, self._before = touch.place, self.rect

    def drag(self, touch: Touch) -> None:
        if self._start is None:
            return
        snap, by = self.studio.snap, touch.place - self._start
        if self._grip is None:
            if by.manhattanLength() * touch.zoom < CLICK:
                return
            first, last = (snap.point(p, touch.zoom) for p in (self._start, touch.place))
            rect = QRectF(first, last).normalized()
        else:
            rect = resized(self._before, self._grip, by, keep=touch.has(Keys.ShiftModifier))
        self._rect = _whole(rect)
        self.studio.shown_changed.emit()

    def release(self, touch: Touch) -> None:
        self._start = None

    def double(self, touch: Touch) -> None:
        self.enter()

    def cursor_at(self, touch: Touch) -> Qt.CursorShape:
        return cursor_of(self._grip_at(touch))

    def enter(self) -> bool:
        rect, self._rect, self._start = self._rect, None, None
        if rect is not None:
            box = Box(int(rect.left()), int(rect.top()), int(rect.width()), int(rect.height()))
            self.studio.perform(crop_canvas(self.studio.canvas, box))
        self.studio.shown_changed.emit()
        return rect is not None

    def put_down(self) -> None:
        self.cancel()

    def cancel(self) -> bool:
        had, self._rect, self._start = self._rect is not None, None, None
        self.studio.shown_changed.emit()
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

    def _grip_at(self, touch: Touch) -> Grip | None:
        return grip_at(self.rect, self._view, touch.at) if self._view is not None else None


def _whole(rect: QRectF) -> QRectF:
    """On whole pixels, at least one wide and high."""
    left, top = round(rect.left()), round(rect.top())
    width, height = (max(1, round(v)) for v in (rect.width(), rect.height()))
    return QRectF(left, top, width, height)
