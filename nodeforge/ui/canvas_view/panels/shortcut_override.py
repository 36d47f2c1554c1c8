"""Modifiers that belong to the field with the focus, although the canvas has commands on them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

_KEPT = {
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Backspace,
    Qt.Key.Key_Delete,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
}
"""Keys that a focused field or list handles itself, although the canvas has commands on them."""


def accept_shortcut_override(event: QEvent) -> None:
    """Let a field or list have its Enter, Backspace and arrows before any shortcut."""
    if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.ShortcutOverride:
        return
    if event.key() in _KEPT and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        event.accept()
