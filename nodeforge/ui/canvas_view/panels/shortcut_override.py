"""Gives focused fields and lists precedence over canvas shortcuts (ShortcutOverride)."""

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
    """Accept Enter, Backspace, Delete and arrows for a focused field, before any shortcut."""
    if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.ShortcutOverride:
        return
    if event.key() in _KEPT and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        event.accept()
