"""Base class of canvas tools, and the pointer events they get."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import ToolOption

Modifiers = Qt.KeyboardModifier
CLICK = 4.0
"""A press that moves less than this (view pixels) is a click."""


class PointerEvent(NamedTuple):
    """A mouse or tablet event, as tools get it.

    Args:
        position: In canvas pixels; the centre of pixel (0, 0) is (0.5, 0.5).
        view_position: In view pixels.
        zoom: View pixels per canvas pixel.
        modifiers: Keyboard modifiers.
        pressure: Pen pressure, 0..1; 1 for a mouse.
        eraser: Whether the eraser end of the pen is used.
    """

    position: QPointF
    view_position: QPointF
    zoom: float = 1.0
    modifiers: Modifiers = Modifiers.NoModifier
    pressure: float = 1.0
    eraser: bool = False

    def has(self, modifier: Modifiers) -> bool:
        return bool(self.modifiers & modifier)


class Tool:
    """Base class of tools: handles press, drag and release; `commit` finishes a pending edit,
    `cancel` discards it.

    Tools change the document only by edits; each edit is one undo step.
    """

    name = ""
    title = ""
    icon = ""
    key = ""
    hint = ""
    """Help text for the tool options bar."""
    options: tuple[ToolOption, ...] = ()
    cursor = Qt.CursorShape.CrossCursor
    picks_colour = False
    """Whether Alt+click picks a colour."""

    def __init__(self, session: ToolContext) -> None:
        self.session = session

    def value(self, name: str) -> Any:
        """The value of an option."""
        return self.session.tool_options.value(self.name, self.option(name))

    def option(self, name: str) -> ToolOption:
        return next(option for option in self.options if option.name == name)

    def has_option(self, name: str) -> bool:
        return any(option.name == name for option in self.options)

    def set(self, name: str, value: Any) -> None:
        self.session.tool_options.set(self.name, self.option(name), value)

    def activate(self) -> None:
        """Called when the tool becomes the current one."""

    def deactivate(self) -> None:
        """Called when another tool is selected."""

    def press(self, pointer: PointerEvent) -> None: ...

    def drag(self, pointer: PointerEvent) -> None: ...

    def release(self, pointer: PointerEvent) -> None: ...

    def double_click(self, pointer: PointerEvent) -> None: ...

    def hover(self, pointer: PointerEvent) -> None: ...

    def cursor_at(self, pointer: PointerEvent) -> Qt.CursorShape:
        return self.cursor

    @property
    def busy(self) -> bool:
        """Whether there is a pending edit."""
        return False

    def commit(self) -> None:
        """Commit the pending edit, if any."""

    def cancel(self) -> bool:
        """Discard the pending edit; returns whether there was one."""
        return False

    def enter(self) -> bool:
        """Handle Enter; returns whether it was used."""
        return False

    def backspace(self) -> bool:
        """Handle Backspace; returns whether it was used."""
        return False

    def paint(self, painter: QPainter, camera: Camera) -> None:
        """Draw the tool's overlay, in view pixels."""
