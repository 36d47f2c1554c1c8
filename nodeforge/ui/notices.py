"""Bars above the graph that say what happened, with a button that does something about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.icons import icon

Button = tuple[str, Callable[[], object]]


class Notices(QWidget):
    """A stack of bars; one for each subject."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._bars: dict[str, QFrame] = {}
        self.hide()

    def show_notice(
        self, subject: str, text: str, buttons: Sequence[Button] = (), kind: str = "error"
    ) -> None:
        """Show a bar; an earlier one of the same subject goes.

        Args:
            kind: ``error``, ``warn`` or ``info``.
        """
        self.dismiss(subject)
        bar = QFrame()
        bar.setProperty("role", "bar")
        bar.setProperty("kind", kind)
        bar.setAccessibleName(text)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 4, 4, 4)
        label = QLabel(text.replace("\n    ", "\n"), wordWrap=True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(label, 1)
        for words, do in buttons:
            button = QPushButton(words)
            button.clicked.connect(lambda _=False, do=do: self._press(subject, do))
            row.addWidget(button)
        close = QToolButton()
        close.setIcon(icon("x"))
        close.setToolTip("Close")
        close.setAccessibleName("Close this message")
        close.clicked.connect(lambda: self.dismiss(subject))
        row.addWidget(close)
        self._bars[subject] = bar
        self._column.addWidget(bar)
        self.show()

    def text(self, subject: str) -> str:
        """What the bar of `subject` says; empty where there is none."""
        bar = self._bars.get(subject)
        return bar.accessibleName() if bar else ""

    def dismiss(self, subject: str) -> None:
        bar = self._bars.pop(subject, None)
        if bar is not None:
            self._column.removeWidget(bar)
            bar.deleteLater()
        self.setVisible(bool(self._bars))

    def _press(self, subject: str, do: Callable[[], object]) -> None:
        self.dismiss(subject)
        do()
