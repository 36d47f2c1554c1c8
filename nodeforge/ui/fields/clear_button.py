"""The button that clears an optional value."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QToolButton, QWidget

from nodeforge.ui.common.icons import icon

_KEYS = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class ClearButton(QToolButton):
    """A button beside an editor that clears its value; Delete and Backspace trigger it, too."""

    def __init__(self, editor: QWidget) -> None:
        super().__init__()
        self.setIcon(icon("x", "dim"))
        self.setToolTip("Clear (Delete)")
        self.setAccessibleName("use none")
        self.hide()
        editor.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        pressed = isinstance(event, QKeyEvent) and event.key() in _KEYS and not self.isHidden()
        if pressed and event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if pressed and event.type() is QEvent.Type.KeyPress:
            self.click()
            return True
        return False
