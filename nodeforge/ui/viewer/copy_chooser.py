"""Leads through the results of a node behind a list: the one before, the next."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from nodeforge.ui.common.icons import icon


class CopyChooser(QWidget):
    """``‹ 2 of 6 ›``; hidden where there is one result."""

    chosen = Signal(int)
    """The number of the result to show, counted from 1."""

    def __init__(self) -> None:
        super().__init__()
        self._number, self._of = 1, 1
        self.before = self._arrow("caret-left", "Result before", -1)
        self.label = QLabel()
        self.label.setProperty("role", "dim")
        self.after = self._arrow("caret-right", "Next result", 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for part in (self.before, self.label, self.after):
            row.addWidget(part)
        self.show_number(1, 1)

    def show_number(self, number: int, of: int) -> None:
        """Show that `number` of `of` results is shown."""
        self._number, self._of = number, of
        self.label.setText(f"{number} of {of}")
        self.setVisible(of > 1)

    def _arrow(self, name: str, text: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name))
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.clicked.connect(lambda: self.chosen.emit((self._number - 1 + by) % self._of + 1))
        return button
