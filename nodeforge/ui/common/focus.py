"""Keyboard focus when a temporary editor or popup closes."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def return_focus(closing: QWidget, to: QWidget) -> None:
    """Give the focus of a widget that is about to be hidden to another one.

    Where the user has already clicked something else, that has the focus and keeps it: what is
    typed next is meant for it. An inactive window counts by what it will focus again.
    """
    if closing.window().focusWidget() is closing:
        to.setFocus()
