"""Clone: paints with what the picture shows somewhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from nodeforge.canvas import LARGEST, CloneInk, Ink, pictured
from nodeforge.ui.canvas_view.rendering.outline_painting import line_both
from nodeforge.ui.canvas_view.tools.brush import StrokeTool
from nodeforge.ui.canvas_view.tools.tool import Keys, Touch
from nodeforge.ui.canvas_view.tools.tool_options import number, toggle

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio


class CloneTool(StrokeTool):
    name, title, icon, key, verb = "clone", "Clone", "sticker", "S", "clone"
    hint = "Alt and a click: where from. Then paint."
    options = (
        number("size", "Size", 60, 1, LARGEST, 1, "px"),
        number("hardness", "Hardness", 0.5, 0.0, 1.0, 0.01),
        number("opacity", "Opacity", 1.0, 0.01, 1.0, 0.01),
        toggle("all_layers", "All layers", True),
        toggle("aligned", "Aligned", True),
    )

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._source: QPointF | None = None
        self._shift: QPointF | None = None
        self._here = QPointF()

    def press(self, touch: Touch) -> None:
        if touch.has(Keys.AltModifier):
            self._source, self._shift = touch.place, None
            self.studio.shown_changed.emit()
            return
        super().press(touch)

    def drag(self, touch: Touch) -> None:
        self._here = touch.place
        super().drag(touch)
        self.studio.shown_changed.emit()

    def hover(self, touch: Touch) -> None:
        self._here = touch.place

    def ink(self, touch: Touch) -> Ink | None:
        if self._source is None:
            self.studio.said.emit("Hold Alt and click where to clone from.")
            return None
        if self._shift is None or not self.value("aligned"):
            self._shift = self._source - touch.place
        state = self.studio.canvas.state
        layers = (
            tuple(pictured(state)) if self.value("all_layers") else (state.layer(state.active),)
        )
        return CloneInk(layers, round(self._shift.x()), round(self._shift.y()))

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self._source is None:
            return
        place = self._source
        if self._shift is not None and (self.busy or self.value("aligned")):
            place = self._here + self._shift
        at = camera.to_view(place)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for a, b in ((QPointF(-7, 0), QPointF(7, 0)), (QPointF(0, -7), QPointF(0, 7))):
            line_both(painter, at + a, at + b)
        painter.drawEllipse(QRectF(at.x() - 5, at.y() - 5, 10, 10))
