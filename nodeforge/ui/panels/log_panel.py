"""The log panel: messages of runs and of the worker, newest last, without prompts."""

from __future__ import annotations

import time

from PySide6.QtGui import QFontDatabase, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit

EMPTY = "Messages of runs and of the worker appear here."
_LINES = 2000


class LogPanel(QPlainTextEdit):
    """Read-only lines with the time."""

    def __init__(self) -> None:
        super().__init__(readOnly=True)
        self.setAccessibleName("Log")
        self.setPlaceholderText(EMPTY)
        self.setMaximumBlockCount(_LINES)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)

    def add(self, text: str) -> None:
        if text := text.rstrip():
            self.appendPlainText(f"{time.strftime('%H:%M:%S')}  {text}")

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Show the newest lines: what is added while the panel is hidden does not scroll."""
        super().showEvent(event)
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
