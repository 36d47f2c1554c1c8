"""What all tools share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from nodeforge.ui.canvas_view.tools.tool_options import Option

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio

Keys = Qt.KeyboardModifier
CLICK = 4.0
"""A press that moves less than this (pixels of the view) is a click."""


class Touch(NamedTuple):
    """Where the mouse or the pen is.

    Args:
        place: On the canvas, in pixels; the middle of pixel (0, 0) is (0.5, 0.5).
        at: On the view, in pixels.
        zoom: Pixels of the view a pixel of the canvas.
        keys: What is held on the keyboard.
        pressure: Of a pen, 0..1; 1 of a mouse.
        eraser: It is the other end of the pen.
    """

    place: QPointF
    at: QPointF
    zoom: float = 1.0
    keys: Keys = Keys.NoModifier
    pressure: float = 1.0
    eraser: bool = False

    def has(self, key: Keys) -> bool:
        return bool(self.keys & key)


class Tool:
    """From press to release; `settle` ends what is in hand, `cancel` undoes it.

    A tool changes the document by edits alone, of which each is one step to undo.
    """

    name = ""
    title = ""
    icon = ""
    key = ""
    hint = ""
    """What it does and which keys change that, for the options bar."""
    options: tuple[Option, ...] = ()
    cursor = Qt.CursorShape.CrossCursor
    picks = False
    """Whether Alt and a click take a colour from the picture."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def value(self, name: str) -> Any:
        """What one of its options is set to."""
        return self.studio.kit.value(self.name, self.option(name))

    def option(self, name: str) -> Option:
        return next(option for option in self.options if option.name == name)

    def has_option(self, name: str) -> bool:
        return any(option.name == name for option in self.options)

    def set(self, name: str, value: Any) -> None:
        self.studio.kit.set(self.name, self.option(name), value)

    def take(self) -> None:
        """It is taken in hand."""

    def put_down(self) -> None:
        """Another is taken."""

    def press(self, touch: Touch) -> None: ...

    def drag(self, touch: Touch) -> None: ...

    def release(self, touch: Touch) -> None: ...

    def double(self, touch: Touch) -> None: ...

    def hover(self, touch: Touch) -> None: ...

    def cursor_at(self, touch: Touch) -> Qt.CursorShape:
        return self.cursor

    @property
    def busy(self) -> bool:
        """Whether something is in hand that would become a step."""
        return False

    def settle(self) -> None:
        """Finish what is in hand, if anything."""

    def cancel(self) -> bool:
        """As if what is in hand had not been begun; whether there was anything."""
        return False

    def enter(self) -> bool:
        """Enter was pressed; whether that meant anything."""
        return False

    def backspace(self) -> bool:
        """Backspace was pressed; whether that meant anything."""
        return False

    def paint(self, painter: QPainter, camera: Camera) -> None:
        """Draw over the picture, in pixels of the view."""
