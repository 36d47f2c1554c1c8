"""Rows of inputs in a scroll area."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget


class ScrolledRows(QScrollArea):
    """Rows that are made anew, also while a menu or a drag of one of them asks for that."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def change_content(self, content: QWidget) -> None:
        """Show `content`; what was shown lives until control is back in the event loop.

        `setWidget` would delete it at once, and the menu would return into what is gone.
        """
        before, focused = self.widget(), QApplication.focusWidget()
        if before is not None and focused is not None and before.isAncestorOf(focused):
            focused.blockSignals(True)  # what is half typed in it is of a row that may be gone
        before = self.takeWidget()
        self.setWidget(content)
        if before is not None:
            before.hide()
            before.deleteLater()
