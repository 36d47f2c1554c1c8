"""A push button and a label that elide their text where it is too long."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy

_LEAST = 64


class ElidedButton(QPushButton):
    """Elides the middle of its text; `text()` returns the full text."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def text(self) -> str:
        return self._whole

    def setText(self, text: str) -> None:  # noqa: N802
        self._whole = text
        self._fit()
        self.updateGeometry()

    def shown_text(self) -> str:
        """The text as it is drawn: elided where it is too long."""
        return super().text().replace("&&", "&")

    def sizeHint(self) -> QSize:  # noqa: N802
        width = self._frame() + self._long(_escaped(self._whole)) + 1
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        least = min(_LEAST, self.sizeHint().width())
        return QSize(least, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - self._frame()
        middle = Qt.TextElideMode.ElideMiddle
        shown = self.fontMetrics().elidedText(self._whole, middle, max(0, room))
        super().setText(_escaped(shown))

    def _frame(self) -> int:
        """Width of the button without its text, pixels; the same for every text."""
        return super().sizeHint().width() - self._long(super().text())

    def _long(self, text: str) -> int:
        """Width of a text as QPushButton measures it, which rounds up, pixels."""
        return self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, text).width()


class ElidedLabel(QLabel):
    """Takes the remaining width and shows the start of a text in it; the tooltip has all of it."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._whole = ""
        self.setMinimumWidth(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_whole_text(text)

    @property
    def whole_text(self) -> str:
        return self._whole

    def set_whole_text(self, text: str) -> None:
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._elide()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(8, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._elide()
        super().resizeEvent(event)

    def _elide(self) -> None:
        right = Qt.TextElideMode.ElideRight
        self.setText(self.fontMetrics().elidedText(self._whole, right, self.width()))


def _escaped(text: str) -> str:
    """`text` with every ``&`` shown as such: it is part of a file's name, no mnemonic."""
    return text.replace("&", "&&")
