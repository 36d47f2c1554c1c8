"""Everything a person can ask the window for, once: menus, palette and shortcut list read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from nodeforge.ui.common.icons import icon


def always() -> bool:
    return True


@dataclass(frozen=True)
class Command:
    """One thing the window does.

    Args:
        name: Its id, ``file.open``; what comes before the dot is its menu.
        text: What menus and palette say.
        do: Does it.
        keys: Shortcuts; the first is shown.
        icon: A Phosphor name.
        enabled: Whether it can be done now.
        checked: For what is on or off: which of them.
        within: The widget that must have the focus for the keys to count; None is the window.
        label: What the menu says now, where that changes ("Undo move 3 nodes").
    """

    name: str
    text: str
    callback: Callable[[], object]
    shortcuts: Sequence[str] = ()
    icon: str = ""
    enabled: Callable[[], bool] = always
    checked: Callable[[], bool] | None = None
    context: QWidget | None = None
    label: Callable[[], str] | None = None


class CommandRegistry(QObject):
    """The registry.

    Args:
        window: What the shortcuts belong to.
    """

    shortcuts_removed = Signal(list)
    """Keys that were a command's by default, and do nothing now."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def add(self, command: Command) -> QAction:
        """Register `command`; its shortcuts work from now on."""
        assert command.name not in self._commands, command.name
        action = QAction(command.text, self)
        action.setObjectName(command.name)
        if command.icon:
            action.setIcon(icon(command.icon))
        action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
        action.setCheckable(command.checked is not None)
        action.triggered.connect(lambda: self.run(command.name))
        if command.context is not None:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        (command.context or self._window).addAction(action)
        self._commands[command.name] = command
        self._actions[command.name] = action
        return action

    def command(self, name: str) -> Command:
        return self._commands[name]

    def shortcuts(self, name: str) -> list[str]:
        """A command's shortcuts now, as they are stored."""
        portable = QKeySequence.SequenceFormat.PortableText
        return [keys.toString(portable) for keys in self._actions[name].shortcuts()]

    def set_shortcuts(self, changed: Mapping[str, list[str]], store: QSettings) -> None:
        """Give these commands other keys, all others their own, and remember it."""
        store.setValue("shortcuts", json.dumps(changed))
        self.restore_shortcuts(store)

    def restore_shortcuts(self, store: QSettings) -> None:
        """Use the shortcuts that are remembered."""
        try:
            changed = json.loads(str(store.value("shortcuts", "{}")))
        except ValueError:
            changed = {}
        for name, command in self._commands.items():
            keys = changed.get(name, command.shortcuts)
            self._actions[name].setShortcuts([QKeySequence(each) for each in keys])
        self.shortcuts_removed.emit(self._removed_shortcuts(changed))

    def _removed_shortcuts(self, changed: Mapping[str, list[str]]) -> list[str]:
        """Keys that these commands had, and that none in the graph has now."""
        theirs = [key for name in changed if name in self._commands
                  for key in self._commands[name].shortcuts]  # fmt: skip
        in_graph = [action for name, action in self._actions.items() if not is_canvas_command(name)]
        taken = {keys.toString() for action in in_graph for keys in action.shortcuts()}
        return [key for key in theirs if QKeySequence(key).toString() not in taken]

    def run(self, name: str) -> None:
        """Do it, if that is possible now."""
        command = self._commands[name]
        if command.enabled():
            command.callback()
        self.update_states()

    def update_states(self) -> None:
        """Ask every command whether it can be done now, and what it is called."""
        for name, command in self._commands.items():
            action = self._actions[name]
            action.setEnabled(command.enabled())
            if command.checked is not None:
                action.setChecked(command.checked())
            if command.label is not None:
                action.setText(command.label())


def is_canvas_command(name: str) -> bool:
    """Whether a command counts only while a canvas is in front, as its keys do."""
    return name.startswith(("canvas.", "tool."))


def shortcut_text(action: QAction) -> str:
    """An action's shortcuts as menus write them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(keys.toString(native) for keys in action.shortcuts())
