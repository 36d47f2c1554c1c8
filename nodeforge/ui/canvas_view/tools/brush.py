"""Brush and eraser: strokes with a mouse or a pen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from nodeforge.canvas import LARGEST, Brush, ColourInk, EraserInk, Ink, Sample, Stroke
from nodeforge.errors import RequestError
from nodeforge.ui.canvas_view.tools.tool import CLICK, Keys, Tool, Touch
from nodeforge.ui.canvas_view.tools.tool_options import number, toggle

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.session import Studio

_SIZE = number("size", "Size", 40, 1, LARGEST, 1, "px")
_LOOKS = (
    number("hardness", "Hardness", 0.8, 0.0, 1.0, 0.01),
    number("opacity", "Opacity", 1.0, 0.01, 1.0, 0.01),
)
_PEN = (
    number("spacing", "Spacing", 0.1, 0.01, 2.0, 0.01),
    toggle("pressure_size", "Pen size", True),
    toggle("pressure_opacity", "Pen opacity"),
)


class StrokeTool(Tool):
    """Something that leaves a stroke on the active layer."""

    cursor = Qt.CursorShape.BlankCursor
    verb = ""
    """The step's name for "Undo ..."."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._stroke: Stroke | None = None
        self._last: tuple[object, QPointF] | None = None
        self._from: Touch | None = None
        self._axis: str | None = None

    @property
    def brush(self) -> Brush:
        names = ("size", "hardness", "opacity", "spacing", "pressure_size", "pressure_opacity")
        return Brush(**{name: self.value(name) for name in names if self.has_option(name)})

    @property
    def busy(self) -> bool:
        return self._stroke is not None

    def ink(self, touch: Touch) -> Ink | None:
        """What it leaves; None where it cannot."""
        raise NotImplementedError

    def press(self, touch: Touch) -> None:
        self.settle()
        if self.studio.ready_layer() is None:
            return
        ink = EraserInk() if touch.eraser else self.ink(touch)
        if ink is None:
            return
        canvas = self.studio.canvas
        try:
            self._stroke = Stroke(canvas, self.brush, ink, self.verb)
        except RequestError as error:
            self.studio.said.emit(str(error))
            return
        self._axis, self._from = None, touch
        start = self._start(touch)
        self._stroke.begin(_sample(start, touch.pressure))
        if start is not touch.place:
            self._stroke.extend(_sample(touch.place, touch.pressure), straight=True)
        self._last = canvas, touch.place

    def _start(self, touch: Touch) -> QPointF:
        """With Shift a line begins where the last stroke ended."""
        if touch.has(Keys.ShiftModifier) and self._last and self._last[0] is self.studio.canvas:
            return self._last[1]
        return touch.place

    def drag(self, touch: Touch) -> None:
        if self._stroke is not None:
            place = self._straightened(touch)
            straight = touch.has(Keys.ShiftModifier)
            self._stroke.extend(_sample(place, touch.pressure), straight=straight)
            self._last = self.studio.canvas, place

    def _straightened(self, touch: Touch) -> QPointF:
        """With Shift the stroke goes on across or down only, whichever it began with."""
        if not touch.has(Keys.ShiftModifier) or self._from is None:
            self._axis = None
            return touch.place
        way, start = touch.at - self._from.at, self._from.place
        if self._axis is None and way.manhattanLength() < CLICK:
            return start
        if self._axis is None:
            self._axis = "across" if abs(way.x()) >= abs(way.y()) else "down"
        if self._axis == "across":
            return QPointF(touch.place.x(), start.y())
        return QPointF(start.x(), touch.place.y())

    def release(self, touch: Touch) -> None:
        self.settle()

    def settle(self) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            self.studio.perform(stroke.end())

    def cancel(self) -> bool:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.cancel()
        return stroke is not None


class BrushTool(StrokeTool):
    name, title, icon, key, verb = "brush", "Brush", "paint-brush", "B", "brush stroke"
    hint = "Shift: straight. Alt: take a colour. Right drag: size and hardness. X: mask."
    options = (_SIZE, *_LOOKS, *_PEN)
    picks = True

    def ink(self, touch: Touch) -> Ink:
        layer = self.studio.canvas.active
        if layer is not None and layer.is_mask:
            return ColourInk((255, 255, 255, 255))  # a mask takes no colour, and all of it
        return ColourInk(self.studio.kit.ink)


class EraserTool(StrokeTool):
    name, title, icon, key, verb = "eraser", "Eraser", "eraser", "E", "erase"
    hint = "Shift: straight. Right drag: size and hardness."
    options = (_SIZE, *_LOOKS, *_PEN)

    def ink(self, touch: Touch) -> Ink:
        return EraserInk()


def _sample(place: QPointF, pressure: float) -> Sample:
    return Sample(place.x(), place.y(), pressure)
