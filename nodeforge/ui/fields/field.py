"""Base class of value editors (fields)."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

MIXED = object()
"""Placeholder value for several nodes with different values."""


class Field(QWidget):
    """An editor of one value.

    It shows the document's value and emits edits; it does not store the value itself.
    """

    edited = Signal(object, list)
    """The new value (JSON), and document edits that must precede it."""
    refused = Signal(str)
    """Why what was given is not taken as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.gesture: object = None
        """Edits with the same gesture are merged into one undo step."""

    def show_value(self, value: Any) -> None:
        """Show `value`, or `MIXED`, without emitting `edited`."""
        raise NotImplementedError

    def editor(self) -> QWidget:
        """The widget that gets the focus."""
        return self

    def set_label(self, name: str) -> None:
        """Set the accessible names of the controls."""
        self.editor().setAccessibleName(name)

    def set_auto(self, text: str) -> None:
        """Say what the value stands for that is left to the model; empty where that is unknown."""

    def new_gesture(self) -> None:
        """Start a new undo step."""
        self.gesture = object()


class WheelFilter(QObject):
    """Ignores wheel events of a widget without focus, so that the panel scrolls instead."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        is_wheel = event.type() is QEvent.Type.Wheel
        if is_wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


def ignore_wheel(widget: QWidget) -> None:
    """Ignore wheel events of `widget` while it has no focus.

    The wheel would give a combo box the focus before the filter is asked.
    """
    if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(WheelFilter(widget))
