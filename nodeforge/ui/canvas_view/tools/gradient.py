"""The Gradient tool."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from nodeforge.canvas import GradientPaint, paint_area
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.outline_painting import draw_contrast_line
from nodeforge.ui.canvas_view.tools.tool import CLICK, Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import choice_option, rgba


class GradientTool(Tool):
    name, title, icon, key = "gradient", "Gradient", "square-half", "Shift+G"
    hint = "Drag from the first colour to the last. Shift: in steps of 15°. Alt: pick a colour."
    options = (
        choice_option("shape", "Shape", ("linear", "radial"), "linear"),
        choice_option("to", "To", ("back colour", "transparent"), "back colour"),
    )
    picks_colour = True

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._start: QPointF | None = None
        self._end = QPointF()
        self._dragged_far = False

    def press(self, pointer: PointerEvent) -> None:
        if self.session.paintable_layer() is not None:
            self._start = self._end = pointer.position
            self._dragged_far = False

    def drag(self, pointer: PointerEvent) -> None:
        if self._start is None:
            return
        way = pointer.position - self._start
        length = math.hypot(way.x(), way.y())
        if pointer.has(Modifiers.ShiftModifier):
            angle = math.radians(round(math.degrees(math.atan2(way.y(), way.x())) / 15) * 15)
            way = QPointF(math.cos(angle) * length, math.sin(angle) * length)
        self._end = self._start + way
        self._dragged_far = length * pointer.zoom >= CLICK
        self.session.overlay_changed.emit()

    def release(self, pointer: PointerEvent) -> None:
        self.commit()

    def commit(self) -> None:
        start, self._start = self._start, None
        layer = self.session.canvas.active
        if start is None or layer is None or not self._dragged_far:
            self.session.overlay_changed.emit()
            return
        tool_options = self.session.tool_options
        first = (255, 255, 255, 255) if layer.is_mask else tool_options.paint_colour
        clear = layer.is_mask or self.value("to") == "transparent"
        last = (first[0], first[1], first[2], 0) if clear else rgba(tool_options.background)
        ends = (start.x(), start.y()), (self._end.x(), self._end.y())
        ink = GradientPaint(*ends, first, last, self.value("shape") == "radial")
        self.session.perform(paint_area(self.session.canvas, ink, name="gradient"))
        self.session.overlay_changed.emit()

    def cancel(self) -> bool:
        had, self._start = self._start is not None, None
        self.session.overlay_changed.emit()
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._start is not None:
            draw_contrast_line(painter, camera.to_view(self._start), camera.to_view(self._end))
