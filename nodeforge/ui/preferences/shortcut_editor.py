"""The shortcut editor of the Preferences dialog; reports conflicts."""

from __future__ import annotations

from itertools import combinations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.command_registry import Command, CommandRegistry, is_canvas_command

_NAME = Qt.ItemDataRole.UserRole
_PORTABLE = QKeySequence.SequenceFormat.PortableText
_NATIVE = QKeySequence.SequenceFormat.NativeText


class ShortcutEditor(QWidget):
    """Lists commands and edits the shortcuts of the selected one."""

    def __init__(self, actions: CommandRegistry) -> None:
        super().__init__()
        self._actions = actions
        self._keys = {command.name: actions.shortcuts(command.name) for command in actions}
        self.list = QTreeWidget(rootIsDecorated=False)
        self.list.setHeaderLabels(["Command", "Keys", "Default"])
        self.list.setAccessibleName("Shortcuts")
        self.list.setColumnWidth(0, 264)
        self.list.setColumnWidth(1, 176)
        self.list.setFixedHeight(220)
        self.editor = QKeySequenceEdit()
        self.editor.setAccessibleName("Keys of the chosen command")
        self.editor.editingFinished.connect(self._take)
        self.default = QPushButton("Default")
        self.default.clicked.connect(self._back)
        self.none = QPushButton("None")
        self.none.clicked.connect(lambda: self._set([]))
        self.conflict = QLabel(wordWrap=True)
        self.conflict.setProperty("role", "error")
        self._lay_out()
        for command in actions:
            item = QTreeWidgetItem(
                [command.text.replace("&", ""), "", native_shortcuts(command.shortcuts)]
            )
            item.setData(0, _NAME, command.name)
            self.list.addTopLevelItem(item)
        self.list.currentItemChanged.connect(self._choose)
        self.choose(next(iter(self._keys)))
        self._show()

    def choose(self, name: str) -> None:
        """Select a command in the list."""
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            if item is not None and item.data(0, _NAME) == name:
                self.list.setCurrentItem(item)

    def search(self, text: str) -> bool:
        """Show the commands that match all words of `text`; returns whether there are any."""
        wanted, found = text.lower().split(), list[QTreeWidgetItem]()
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            assert item is not None
            words = f"{item.text(0)} {item.text(1)}".lower()
            item.setHidden(not all(word in words for word in wanted))
            found += [] if item.isHidden() else [item]
        if found and self.list.currentItem().isHidden():
            self.list.setCurrentItem(found[0])  # the keys below are of a command that is seen
        return bool(found)

    def conflicts(self) -> list[str]:
        """Descriptions of conflicting shortcuts."""
        owners: dict[str, list[Command]] = {}
        for command in self._actions:
            for keys in self._keys[command.name]:
                owners.setdefault(keys, []).append(command)
        return [
            f"{native_shortcuts([keys])} is for “{_title(one)}” and “{_title(other)}”."
            for keys, commands in owners.items()
            for one, other in combinations(commands, 2)
            if {_active_view(one), _active_view(other)} != {"graph", "canvas"}
        ]

    def changed(self) -> dict[str, list[str]]:
        """Shortcuts by command, where they differ from the default."""
        return {
            command.name: self._keys[command.name]
            for command in self._actions
            if self._keys[command.name] != portable_shortcuts(command.shortcuts)
        }

    def _lay_out(self) -> None:
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Press the new keys"))
        row.addWidget(self.editor, 1)
        row.addWidget(self.default)
        row.addWidget(self.none)
        column.addWidget(self.list)
        column.addLayout(row)
        column.addWidget(self.conflict)

    @property
    def _name(self) -> str:
        return self.list.currentItem().data(0, _NAME)

    def _choose(self) -> None:
        keys = self._keys[self._name]
        self.editor.setKeySequence(QKeySequence(keys[0] if keys else "", _PORTABLE))

    def _take(self) -> None:
        pressed = self.editor.keySequence().toString(_PORTABLE)
        if pressed and self._keys[self._name][:1] != [pressed]:
            self._set([pressed])

    def _back(self) -> None:
        self._set(portable_shortcuts(self._actions.command(self._name).shortcuts))

    def _set(self, keys: list[str]) -> None:
        self._keys[self._name] = keys
        self._choose()
        self._show()

    def _show(self) -> None:
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            assert item is not None
            item.setText(1, native_shortcuts(self._keys[item.data(0, _NAME)]))
        self.conflict.setText("\n".join(self.conflicts()))
        self.conflict.setVisible(bool(self.conflict.text()))


def _title(command: Command) -> str:
    return command.text.replace("…", "")


def _active_view(command: Command) -> str:
    """The view in which a command is available: ``graph``, ``canvas`` or any."""
    if is_canvas_command(command.name):
        return "canvas"
    return "graph" if command.name.startswith("node.") else ""


def portable_shortcuts(keys: object) -> list[str]:
    """Shortcuts as portable text, as they are stored."""
    assert isinstance(keys, list | tuple)
    return [QKeySequence(each).toString(_PORTABLE) for each in keys]


def native_shortcuts(keys: object) -> str:
    """Shortcuts as native text, as menus show them."""
    assert isinstance(keys, list | tuple)
    return ", ".join(QKeySequence(each).toString(_NATIVE) for each in keys)
