"""The command palette (fuzzy search over all commands) and the list of shortcuts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from nodeforge.ui.common.command_registry import CommandRegistry, shortcut_text
from nodeforge.ui.common.icons import SIZE

_NAME = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def match_cost(wanted: str, text: str) -> int | None:
    """The cost of matching the letters of `wanted` in `text`, in order; None for no match.

    Letters at the start of words and adjacent letters cost least.
    """
    wanted, text = wanted.lower().replace(" ", ""), text.lower()
    cost, place = 0, -1
    for letter in wanted:
        found = text.find(letter, place + 1)
        if found < 0:
            return None
        at_start = found == 0 or not text[found - 1].isalnum()
        if found != place + 1:
            start = _word_start(text, letter, place + 1)
            found, at_start = (start, True) if start is not None else (found, at_start)
        cost += 0 if found == place + 1 else 1 if at_start else 3 + min(found - place, 10)
        place = found
    return cost * 100 + len(text)


def _word_start(text: str, letter: str, begin: int) -> int | None:
    for index in range(begin, len(text)):
        if text[index] == letter and (index == 0 or not text[index - 1].isalnum()):
            return index
    return None


class CommandPalette(QDialog):
    """A popup with a search field and a list of commands."""

    def __init__(self, actions: CommandRegistry, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setWindowTitle("Command palette")
        self.setAccessibleName("Command palette")
        self._actions = actions
        self._blank = _blank()
        self.search = QLineEdit(placeholderText="What do you want to do?")
        self.search.setAccessibleName("Search commands")
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        self.list = _table()
        self.list.setAccessibleName("Commands")
        self.list.itemActivated.connect(self._do)
        self.search.returnPressed.connect(lambda: self._do(self.list.currentItem()))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.search)
        column.addWidget(self.list)
        self.resize(520, 400)
        actions.update_states()
        self._fill("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None:
                self._step(step)
                return True
        return super().eventFilter(watched, event)

    def _fill(self, text: str) -> None:
        ranked = []
        for command in self._actions:
            action = self._actions[command.name]
            costs = [match_cost(text, each) for each in (action.text(), *command.words)]
            cost = min((each for each in costs if each is not None), default=None)
            if action.isEnabled() and cost is not None and command.name != "view.palette":
                ranked.append((cost if text else 0, command))
        self.list.clear()
        for _, command in sorted(ranked, key=lambda pair: pair[0]):
            action = self._actions[command.name]
            item = QTreeWidgetItem([action.text().replace("&", ""), shortcut_text(action)])
            item.setIcon(0, self._blank if action.icon().isNull() else action.icon())
            item.setTextAlignment(1, _RIGHT)
            item.setData(0, _NAME, command.name)
            self.list.addTopLevelItem(item)
        if first := self.list.topLevelItem(0):
            self.list.setCurrentItem(first)

    def _step(self, by: int) -> None:
        place = self.list.indexOfTopLevelItem(self.list.currentItem()) + by
        if item := self.list.topLevelItem(place):
            self.list.setCurrentItem(item)

    def _do(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            self.close()
            self._actions.run(item.data(0, _NAME))


class ShortcutList(QDialog):
    """Lists all commands that have shortcuts."""

    def __init__(self, actions: CommandRegistry, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        self.resize(480, 560)
        self.search = QLineEdit(placeholderText="Search commands and keys")
        self.search.setAccessibleName("Search shortcuts")
        self.search.textChanged.connect(self._filter)
        self.table = table = _table()
        table.setAccessibleName("Shortcuts")
        for command in actions:
            action = actions[command.name]
            if action.shortcuts():
                item = QTreeWidgetItem([command.text.replace("&", ""), shortcut_text(action)])
                item.setTextAlignment(1, _RIGHT)
                table.addTopLevelItem(item)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(table)

    def _filter(self, text: str) -> None:
        """List the commands that have the words in their name or keys."""
        words = text.lower().split()
        for row in range(self.table.topLevelItemCount()):
            if item := self.table.topLevelItem(row):
                shown = f"{item.text(0)} {item.text(1)}".lower()
                item.setHidden(not all(word in shown for word in words))


def _blank() -> QIcon:
    """Room for an icon, so that names lie below each other."""
    pixmap = QPixmap(SIZE, SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)


def _table() -> QTreeWidget:
    table = QTreeWidget(headerHidden=True, rootIsDecorated=False, columnCount=2)
    table.setUniformRowHeights(True)
    table.setStyleSheet("QTreeWidget::item { border-radius: 0; }")  # one bar, not one a column
    table.header().setStretchLastSection(False)
    table.header().setSectionResizeMode(0, table.header().ResizeMode.Stretch)
    table.header().setSectionResizeMode(1, table.header().ResizeMode.ResizeToContents)
    return table
