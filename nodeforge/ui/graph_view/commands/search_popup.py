"""A popup with a search field and a list of matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.focus import return_focus
from nodeforge.ui.common.theme import NORMAL, SMALL, Theme
from nodeforge.ui.library.fuzzy_search import ranked

WIDTH, HEIGHT, LINE = 340, 320, 40
_POPUP_KEYS = (
    *(Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter),
    *(Qt.Key.Key_Tab, Qt.Key.Key_Backtab),
)
"""Keys that the popup handles although the window has shortcuts on them."""


@dataclass(frozen=True)
class SearchEntry:
    """An entry of the popup.

    Args:
        key: What `chosen` tells.
        title: The first line, with `side` at its right.
        detail: The second line.
        texts: What is searched, and how much a match in each counts.
    """

    key: str
    title: str
    detail: str
    side: str
    texts: Sequence[tuple[str, float]]


class SearchPopup(QFrame):
    """A non-modal popup inside its parent; closes when it loses the focus."""

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget, theme: Theme, prompt: str, nothing: str) -> None:
        super().__init__(parent)
        self._around = parent
        self._entries: Sequence[SearchEntry] = ()
        self._nothing = nothing
        self.setProperty("role", "card")
        self.setAutoFillBackground(True)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText(prompt)
        self.line.setAccessibleName(prompt)
        self.line.setClearButtonEnabled(True)
        self.list = QListWidget(self)
        self.list.setAccessibleName(f"{prompt}: matches")
        self.list.setItemDelegate(_EntryDelegate(theme, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setStyleSheet("QListWidget { background: transparent; }")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.empty = QLabel(nothing, self)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "empty")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        for widget in (self.line, self.list, self.empty):
            layout.addWidget(widget)
        self.line.textChanged.connect(self._search)
        self.line.returnPressed.connect(self._take)
        self.list.itemClicked.connect(self._take_item)
        self.line.installEventFilter(self)
        self.hide()

    def open(self, entries: Sequence[SearchEntry], place: QPoint) -> None:
        """Show the popup at a position, kept inside the parent."""
        self._entries = entries
        self.line.clear()
        self._search("")
        room = self._around.rect()
        size = QSize(min(WIDTH, room.width()), min(HEIGHT, room.height()))
        x = max(0, min(place.x(), room.width() - size.width()))
        y = max(0, min(place.y(), room.height() - size.height()))
        self.setGeometry(QRect(QPoint(x, y), size))
        self.show()
        self.raise_()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def set_theme(self, theme: Theme) -> None:
        """Set the theme."""
        self.list.setItemDelegate(_EntryDelegate(theme, self.list))

    def dismiss(self) -> None:
        """Hide the popup; if it still has the focus, the parent gets it."""
        if self.isVisible():
            return_focus(self.line, self._around)
            self.hide()
            self.closed.emit()

    def _search(self, text: str) -> None:
        found = ranked(text, ((entry, entry.texts) for entry in self._entries))
        self.list.clear()
        for entry in found[:200]:
            item = QListWidgetItem(entry.title)
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(found))
        self.empty.setText(
            f"Nothing matches “{text}”." if text and self._entries else self._nothing
        )
        self.empty.setVisible(not found)

    def _take(self) -> None:
        if item := self.list.currentItem():
            self._take_item(item)

    def _take_item(self, item: QListWidgetItem) -> None:
        entry = item.data(Qt.ItemDataRole.UserRole)
        return_focus(self.line, self._around)
        self.hide()
        self.chosen.emit(entry.key)

    def eventFilter(self, watched, event) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in _POPUP_KEYS:
            event.accept()  # handled by the popup, not by a shortcut
            return True
        if event.type() == QEvent.Type.KeyPress:
            return self._key(event.key())
        leaves = event.type() == QEvent.Type.FocusOut and self.isVisible()
        if leaves and event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
            self.dismiss()
        return False

    def _key(self, key: int) -> bool:
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: 6,
            Qt.Key.Key_PageUp: -6,
        }
        if key == Qt.Key.Key_Escape:
            self.dismiss()
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._move(1 if key == Qt.Key.Key_Tab else -1)
        elif key in steps:
            self._move(steps[Qt.Key(key)])
        else:
            return False
        return True

    def _move(self, by: int) -> None:
        count = self.list.count()
        if count:
            self.list.setCurrentRow(max(0, min(count - 1, self.list.currentRow() + by)))


class _EntryDelegate(QStyledItemDelegate):
    """Paints an entry: title and category, description below."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option, index) -> QSize:  # noqa: N802
        return QSize(100, LINE)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        entry: SearchEntry = index.data(Qt.ItemDataRole.UserRole)
        theme = self._theme
        rect: QRect = option.rect  # pyright: ignore
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # pyright: ignore
        painter.save()
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(option.palette.color(QPalette.ColorRole.Highlight))  # pyright: ignore
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 4, 4)
        upper = rect.adjusted(8, 4, -8, -LINE // 2 - 1)
        lower = rect.adjusted(8, LINE // 2, -8, -4)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font(SMALL))
        painter.setPen(theme.on_accent if chosen else theme.dim)
        painter.drawText(upper, middle | Qt.AlignmentFlag.AlignRight, entry.side)
        detail = painter.fontMetrics().elidedText(
            entry.detail, Qt.TextElideMode.ElideRight, lower.width()
        )
        side = painter.fontMetrics().horizontalAdvance(entry.side)
        painter.drawText(lower, middle, detail)
        painter.setFont(theme.font(NORMAL, bold=True))
        painter.setPen(theme.on_accent if chosen else theme.text)
        room = upper.width() - side - 8
        title = painter.fontMetrics().elidedText(entry.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(upper, middle, title)
        painter.restore()
