"""The Colour picker tool."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor

from nodeforge.canvas import composite, pictured
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.tools.tool import Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_options import choice_option

_SIDES = {"1 pixel": 1, "3 × 3": 3, "5 × 5": 5, "11 × 11": 11}


class ColourPickerTool(Tool):
    name, title, icon, key = "picker", "Colour picker", "eyedropper", "I"
    hint = "Click sets the foreground colour, Shift+click the background colour."
    options = (choice_option("area", "Mean of", tuple(_SIDES), "1 pixel"),)
    cursor = Qt.CursorShape.CrossCursor

    def press(self, pointer: PointerEvent) -> None:
        colour = self.colour_at(pointer.position)
        if colour is None:
            return
        tool_options = self.session.tool_options
        (
            tool_options.set_background
            if pointer.has(Modifiers.ShiftModifier)
            else tool_options.set_foreground
        )(colour)

    def drag(self, pointer: PointerEvent) -> None:
        self.press(pointer)

    def colour_at(self, place: QPointF) -> QColor | None:
        """The picture's colour at a position; None if transparent or outside."""
        if not self.session.contains(place):
            return None
        side = _SIDES[self.value("area")]
        left, top = (math.floor(v) - side // 2 for v in (place.x(), place.y()))
        state = self.session.canvas.state
        box = Box(left, top, side, side).overlap(state.box)
        if box is None:
            return None
        red, green, blue, alpha = composite(pictured(state), box).reshape(-1, 4).mean(axis=0)
        if alpha < 1:
            return None
        return QColor(*(min(255, round(v * 255 / alpha)) for v in (red, green, blue)))
