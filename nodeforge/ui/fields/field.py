"""What all editors of a value share."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QWidget

MIXED = object()
"""Shown where several nodes have several values."""


class Field(QWidget):
    """Edits one value.

    It shows what the document has, and asks for edits; it holds no value of its own.
    """

    edited = Signal(object, list)
    """The new value (JSON), and edits of the document that must come before it."""

    def __init__(self) -> None:
        super().__init__()
        self.gesture: object = None
        """Edits with the same gesture are one step to undo."""

    def show_value(self, value: Any) -> None:
        """Show `value`, or `MIXED`; tells nobody."""
        raise NotImplementedError

    def editor(self) -> QWidget:
        """The widget that takes the focus."""
        return self

    def set_label(self, name: str) -> None:
        """Give each control what a screen reader says: what `name` is edited, and how."""
        self.editor().setAccessibleName(name)

    def new_gesture(self) -> None:
        """What is edited from now on is a step of its own."""
        self.gesture = object()


class WheelFilter(QObject):
    """Lets the wheel scroll the panel, unless the value it is over has the focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        is_wheel = event.type() is QEvent.Type.Wheel
        if is_wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


def ignore_wheel(widget: QWidget) -> None:
    """Let the wheel do nothing to `widget` while it has no focus."""
    widget.installEventFilter(WheelFilter(widget))
