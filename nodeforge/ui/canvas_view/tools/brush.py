"""Brush and eraser tools."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from nodeforge.canvas import LARGEST, Brush, ColourPaint, EraserPaint, Paint, Sample, Stroke
from nodeforge.errors import RequestError
from nodeforge.ui.canvas_view.tools.tool import CLICK, Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import PERCENT, number_option, toggle_option

_SIZE = number_option("size", "Size", 40, 1, LARGEST, 1, "px")
_HARDNESS_OPACITY = (
    number_option("hardness", "Hardness", 0.8, 0.0, 1.0, 0.01, PERCENT),
    number_option("opacity", "Opacity", 1.0, 0.01, 1.0, 0.01, PERCENT),
)
_PEN_OPTIONS = (
    number_option("spacing", "Spacing", 0.1, 0.01, 2.0, 0.01, PERCENT),
    toggle_option("pressure_size", "Pen size", True),
    toggle_option("pressure_opacity", "Pen opacity"),
)


class StrokeTool(Tool):
    """Base class of tools that paint strokes on the active layer."""

    cursor = Qt.CursorShape.BlankCursor
    verb = ""
    """The name of the undo step."""

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._stroke: Stroke | None = None
        self._last: tuple[object, QPointF] | None = None
        self._from: PointerEvent | None = None
        self._axis: str | None = None

    @property
    def brush(self) -> Brush:
        names = ("size", "hardness", "opacity", "spacing", "pressure_size", "pressure_opacity")
        return Brush(**{name: self.value(name) for name in names if self.has_option(name)})

    @property
    def busy(self) -> bool:
        return self._stroke is not None

    def ink(self, pointer: PointerEvent) -> Paint | None:
        """The ink to paint with; None if painting is not possible."""
        raise NotImplementedError

    def press(self, pointer: PointerEvent) -> None:
        self.commit()
        if self.session.paintable_layer() is None:
            return
        ink = EraserPaint() if pointer.eraser else self.ink(pointer)
        if ink is None:
            return
        canvas = self.session.canvas
        try:
            self._stroke = Stroke(canvas, self.brush, ink, self.verb)
        except RequestError as error:
            self.session.status_message.emit(str(error))
            return
        self._axis, self._from = None, pointer
        start = self._start(pointer)
        self._stroke.begin(_sample(start, pointer.pressure))
        if start is not pointer.position:
            self._stroke.extend(_sample(pointer.position, pointer.pressure), straight=True)
        self._last = canvas, pointer.position

    def _start(self, pointer: PointerEvent) -> QPointF:
        """The start of a stroke; with Shift, the end of the last stroke."""
        if (
            pointer.has(Modifiers.ShiftModifier)
            and self._last
            and self._last[0] is self.session.canvas
        ):
            return self._last[1]
        return pointer.position

    def drag(self, pointer: PointerEvent) -> None:
        if self._stroke is not None:
            place = self._straightened(pointer)
            straight = pointer.has(Modifiers.ShiftModifier)
            self._stroke.extend(_sample(place, pointer.pressure), straight=straight)
            self._last = self.session.canvas, place

    def _straightened(self, pointer: PointerEvent) -> QPointF:
        """The position, constrained with Shift to the axis in which the stroke began."""
        if not pointer.has(Modifiers.ShiftModifier) or self._from is None:
            self._axis = None
            return pointer.position
        way, start = pointer.view_position - self._from.view_position, self._from.position
        if self._axis is None and way.manhattanLength() < CLICK:
            return start
        if self._axis is None:
            self._axis = "across" if abs(way.x()) >= abs(way.y()) else "down"
        if self._axis == "across":
            return QPointF(pointer.position.x(), start.y())
        return QPointF(start.x(), pointer.position.y())

    def release(self, pointer: PointerEvent) -> None:
        self.commit()

    def commit(self) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            self.session.perform(stroke.end())

    def cancel(self) -> bool:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.cancel()
        return stroke is not None


class BrushTool(StrokeTool):
    name, title, icon, key, verb = "brush", "Brush", "paint-brush", "B", "brush stroke"
    hint = "Shift: straight. Alt: pick a colour. Right drag: size and hardness. X: mask."
    options = (_SIZE, *_HARDNESS_OPACITY, *_PEN_OPTIONS)
    picks_colour = True

    def ink(self, pointer: PointerEvent) -> Paint:
        layer = self.session.canvas.active
        if layer is not None and layer.is_mask:
            return ColourPaint((255, 255, 255, 255))  # a mask takes no colour, and all of it
        return ColourPaint(self.session.tool_options.paint_colour)


class EraserTool(StrokeTool):
    name, title, icon, key, verb = "eraser", "Eraser", "eraser", "E", "erase"
    hint = "Shift: straight. Right drag: size and hardness."
    options = (_SIZE, *_HARDNESS_OPACITY, *_PEN_OPTIONS)

    def ink(self, pointer: PointerEvent) -> Paint:
        return EraserPaint()


def _sample(place: QPointF, pressure: float) -> Sample:
    return Sample(place.x(), place.y(), pressure)
