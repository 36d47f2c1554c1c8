"""The Clone tool: paints with pixels copied from another place."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from nodeforge.canvas import LARGEST, ClonePaint, Paint, pictured
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.outline_painting import draw_contrast_line
from nodeforge.ui.canvas_view.tools.brush import StrokeTool
from nodeforge.ui.canvas_view.tools.tool import Modifiers, PointerEvent
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import PERCENT, number_option, toggle_option


class CloneTool(StrokeTool):
    name, title, icon, key, verb = "clone", "Clone", "sticker", "S", "clone"
    hint = "Alt+click sets the source. Then paint."
    options = (
        number_option("size", "Size", 60, 1, LARGEST, 1, "px"),
        number_option("hardness", "Hardness", 0.5, 0.0, 1.0, 0.01, PERCENT),
        number_option("opacity", "Opacity", 1.0, 0.01, 1.0, 0.01, PERCENT),
        toggle_option("all_layers", "All layers", True),
        toggle_option("aligned", "Aligned", True),
    )

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._source: QPointF | None = None
        self._shift: QPointF | None = None
        self._cursor = QPointF()

    def press(self, pointer: PointerEvent) -> None:
        if pointer.has(Modifiers.AltModifier):
            self._source, self._shift = pointer.position, None
            self.session.overlay_changed.emit()
            return
        super().press(pointer)

    def drag(self, pointer: PointerEvent) -> None:
        self._cursor = pointer.position
        super().drag(pointer)
        self.session.overlay_changed.emit()

    def hover(self, pointer: PointerEvent) -> None:
        self._cursor = pointer.position

    def ink(self, pointer: PointerEvent) -> Paint | None:
        if self._source is None:
            self.session.status_message.emit("Hold Alt and click where to clone from.")
            return None
        if self._shift is None or not self.value("aligned"):
            self._shift = self._source - pointer.position
        state = self.session.canvas.state
        layers = (
            tuple(pictured(state)) if self.value("all_layers") else (state.layer(state.active),)
        )
        return ClonePaint(layers, round(self._shift.x()), round(self._shift.y()))

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._source is None:
            return
        place = self._source
        if self._shift is not None and (self.busy or self.value("aligned")):
            place = self._cursor + self._shift
        at = camera.to_view(place)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for a, b in ((QPointF(-7, 0), QPointF(7, 0)), (QPointF(0, -7), QPointF(0, 7))):
            draw_contrast_line(painter, at + a, at + b)
        painter.drawEllipse(QRectF(at.x() - 5, at.y() - 5, 10, 10))
