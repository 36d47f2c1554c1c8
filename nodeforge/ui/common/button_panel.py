"""A panel with a row of buttons above a view; what changes is shown while it is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.icons import icon

_ICON_WIDTH = 34


class ButtonPanel(QWidget):
    """A row of buttons above a view, or a text while the view has nothing to show.

    Args:
        empty: What is said while there is nothing.
        roomy: Pixels of the panel's width from which its buttons have texts beside their icons.
    """

    def __init__(self, empty: str, roomy: int) -> None:
        super().__init__()
        self._roomy = roomy
        self._named: list[QPushButton] = []
        """Buttons that have texts where there is room."""
        self.note = QLabel()
        self.note.setProperty("role", "dim")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._stack = QStackedLayout()
        label = QLabel(empty, wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        label.setProperty("role", "empty")
        self._stack.addWidget(label)
        self.setLayout(self._stack)

    def refresh(self) -> None:
        """Show what there is now; called when the panel comes to be seen."""
        raise NotImplementedError

    def set_content(self, row: Iterable[tuple[QWidget, int]], view: QWidget) -> None:
        """Lay the panel out.

        Args:
            row: Widgets, and how they stretch.
            view: Below them.
        """
        full = QWidget()
        column, line = QVBoxLayout(full), QHBoxLayout()
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        line.setSpacing(4)
        for widget, stretch in row:
            line.addWidget(widget, stretch)
        column.addLayout(line)
        column.addWidget(view, 1)
        self._stack.addWidget(full)
        self.show_texts()

    def set_empty(self, empty: bool) -> None:
        """Show the text that says there is nothing, or the view."""
        self._stack.setCurrentIndex(0 if empty else 1)

    def button(self, name: str, text: str, do: Callable[[], object]) -> QPushButton:
        """A button that has a text where there is room.

        Args:
            name: Of its icon.
            text: Also its tooltip, and its accessible name.
            do: Called when it is clicked.
        """
        button = QPushButton(icon(name), "")
        _name(button, text, do)
        button.setMinimumWidth(_ICON_WIDTH)
        self._named.append(button)
        return button

    def tool(self, name: str, text: str, do: Callable[[], object]) -> QToolButton:
        """A button that is an icon alone; arguments as those of `button`."""
        button = QToolButton()
        button.setIcon(icon(name))
        button.setText(text)
        _name(button, text, do)
        return button

    def show_texts(self) -> None:
        """Give buttons the texts that there is room for."""
        roomy = self.width() >= self._roomy
        for button in self._named:
            button.setText(button.accessibleName() if roomy else "")

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self.show_texts()
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        self.refresh()
        super().showEvent(event)


def _name(button: QAbstractButton, text: str, do: Callable[[], object]) -> None:
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.clicked.connect(lambda: do())
