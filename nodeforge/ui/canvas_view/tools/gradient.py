"""Gradient: from one colour to the other along a drag."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from nodeforge.canvas import GradientInk, paint_area
from nodeforge.ui.canvas_view.rendering.outline_painting import line_both
from nodeforge.ui.canvas_view.tools.tool import CLICK, Keys, Tool, Touch
from nodeforge.ui.canvas_view.tools.tool_options import choice, rgba

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio


class GradientTool(Tool):
    name, title, icon, key = "gradient", "Gradient", "square-half", "Shift+G"
    hint = "Drag from the first colour to the last. Shift: in steps of 15°. Alt: take a colour."
    options = (
        choice("shape", "Shape", ("linear", "radial"), "linear"),
        choice("to", "To", ("back colour", "transparent"), "back colour"),
    )
    picks = True

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._start: QPointF | None = None
        self._end = QPointF()
        self._long = False

    def press(self, touch: Touch) -> None:
        if self.studio.ready_layer() is not None:
            self._start = self._end = touch.place
            self._long = False

    def drag(self, touch: Touch) -> None:
        if self._start is None:
            return
        way = touch.place - self._start
        length = math.hypot(way.x(), way.y())
        if touch.has(Keys.ShiftModifier):
            angle = math.radians(round(math.degrees(math.atan2(way.y(), way.x())) / 15) * 15)
            way = QPointF(math.cos(angle) * length, math.sin(angle) * length)
        self._end = self._start + way
        self._long = length * touch.zoom >= CLICK
        self.studio.shown_changed.emit()

    def release(self, touch: Touch) -> None:
        self.settle()

    def settle(self) -> None:
        start, self._start = self._start, None
        layer = self.studio.canvas.active
        if start is None or layer is None or not self._long:
            self.studio.shown_changed.emit()
            return
        kit = self.studio.kit
        first = (255, 255, 255, 255) if layer.is_mask else kit.ink
        clear = layer.is_mask or self.value("to") == "transparent"
        last = (first[0], first[1], first[2], 0) if clear else rgba(kit.back)
        ends = (start.x(), start.y()), (self._end.x(), self._end.y())
        ink = GradientInk(*ends, first, last, self.value("shape") == "radial")
        self.studio.perform(paint_area(self.studio.canvas, ink, name="gradient"))
        self.studio.shown_changed.emit()

    def cancel(self) -> bool:
        had, self._start = self._start is not None, None
        self.studio.shown_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._start is not None:
            line_both(painter, camera.to_view(self._start), camera.to_view(self._end))
