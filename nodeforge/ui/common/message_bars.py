"""Message bars over the top edge of the documents, with buttons for what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.formatting import plural
from nodeforge.ui.common.icons import icon

Button = tuple[str, Callable[[], object]]

_PROGRESS = 200
"""Width of a progress bar, pixels."""


_MOST = 3
"""Bars that are seen at once, the newest; closing one shows the next."""


class MessageBars(QWidget):
    """A stack of message bars, one for each subject.

    They lie over the page: what is under the mouse does not move when one comes or goes. What is
    about one document is seen while that is in front.
    """

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._bars: dict[str, QFrame] = {}
        self._about: dict[str, str] = {}
        """The document that a message is about, by subject; what is about none is always seen."""
        self._document = ""
        self._area: Callable[[], QRect] = QRect
        self._more = QLabel()
        self._more.setProperty("role", "bar")
        self._more.setProperty("kind", "info")
        self._more.setContentsMargins(12, 2, 12, 2)
        self._column.addWidget(self._more)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.hide()

    def lie_over(self, area: Callable[[], QRect]) -> None:
        """Lie over the top edge of `area`, in the parent's coordinates."""
        self._area = area
        self.place()

    def show_document(self, document: str) -> None:
        """Show what is about a document, by its id, and about none."""
        self._document = document
        self.place()

    def place(self) -> None:
        """Take the width of the area, and the height that the messages need."""
        bars: list[QFrame] = []
        for subject, bar in self._bars.items():
            seen = self._about.get(subject, self._document) == self._document
            bars += [bar] if seen else []
            bar.setVisible(seen)
        for index, bar in enumerate(reversed(bars)):
            bar.setVisible(index < _MOST)
        hidden = max(0, len(bars) - _MOST)
        self._more.setText(plural(hidden, "earlier message"))
        self._more.setVisible(bool(hidden))
        area = self._area()
        self._column.activate()
        height = min(self._column.totalHeightForWidth(area.width()), area.height())
        self.setGeometry(area.x(), area.y(), area.width(), height)
        self.setVisible(bool(bars))
        self.raise_()

    def show_message(
        self,
        subject: str,
        text: str,
        buttons: Sequence[Button] = (),
        kind: str = "error",
        about: str = "",
    ) -> None:
        """Show a message; it replaces an earlier one of the same subject.

        Args:
            subject: Names the message.
            text: What it says.
            buttons: What can be done.
            kind: ``error``, ``warn`` or ``info``.
            about: The id of the document that it is about alone.
        """
        row = self._bar(subject, text, kind)
        for button in buttons:
            row.addWidget(self._button(subject, button))
        close = QToolButton()
        close.setIcon(icon("x"))
        close.setToolTip("Close")
        close.setAccessibleName("Close this message")
        close.clicked.connect(lambda: self.dismiss(subject))
        row.addWidget(close)
        if about:
            self._about[subject] = about
        self.place()

    def show_progress(self, subject: str, text: str, share: float, button: Button) -> None:
        """Show a message with a progress bar (0..1), until it is dismissed."""
        if self.text(subject) != text:
            row = self._bar(subject, text, "info")
            progress = QProgressBar(maximum=100, textVisible=False)
            progress.setFixedWidth(_PROGRESS)
            progress.setAccessibleName(text)
            row.addWidget(progress)
            row.addWidget(self._button(subject, button))
            self.place()
        for progress in self._bars[subject].findChildren(QProgressBar):
            progress.setValue(round(100 * share))

    def _bar(self, subject: str, text: str, kind: str) -> QHBoxLayout:
        """Create a bar; returns the layout for its buttons."""
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
        self._bars[subject] = bar
        self._column.insertWidget(self._column.count() - 1, bar)
        return row

    def _button(self, subject: str, button: Button) -> QPushButton:
        words, do = button
        made = QPushButton(words)
        made.clicked.connect(lambda: self._press(subject, do))
        return made

    def text(self, subject: str) -> str:
        """The text of the message of `subject`; empty for none."""
        bar = self._bars.get(subject)
        return bar.accessibleName() if bar else ""

    def dismiss(self, subject: str) -> None:
        self._about.pop(subject, None)
        bar = self._bars.pop(subject, None)
        if bar is not None:
            self._column.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
            self.place()

    def _press(self, subject: str, do: Callable[[], object]) -> None:
        self.dismiss(subject)
        do()
