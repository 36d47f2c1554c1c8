"""Registry of the window's commands, read by menus, toolbar, command palette and shortcut list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.preference_store import PreferenceStore, json_object


def always() -> bool:
    return True


@dataclass(frozen=True)
class Command:
    """A command of the window.

    Args:
        name: Its id, ``file.open``; the part before the dot is its menu.
        text: The text in menus and in the command palette.
        callback: Called when the command is triggered.
        shortcuts: Key sequences; the first is shown in menus.
        icon: A Phosphor name.
        enabled: Whether the command can be triggered now.
        checked: For a checkable command, whether it is on.
        context: The widget that must have the focus for the shortcuts to work; None: the window.
        label: The current menu text, where it changes ("Undo move 3 nodes").
        words: Other words by which the command palette finds it.
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
    words: Sequence[str] = ()


class CommandRegistry(QObject):
    """Holds all commands, with a QAction for each.

    Args:
        window: The widget that the shortcuts belong to.
    """

    shortcuts_removed = Signal(list)
    """Default shortcuts that the user has removed and that no other command uses."""

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
        """Register `command` and create its action."""
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
        """The current shortcuts of a command, in portable text."""
        portable = QKeySequence.SequenceFormat.PortableText
        return [keys.toString(portable) for keys in self._actions[name].shortcuts()]

    def set_shortcuts(self, changed: Mapping[str, list[str]], store: PreferenceStore) -> None:
        """Set and store the shortcuts of these commands; all others get their defaults."""
        stored = store.read("shortcuts", {}, json_object)
        others = {name: keys for name, keys in stored.items() if name not in self._commands}
        store.setValue("shortcuts", json.dumps({**others, **changed}))
        self.restore_shortcuts(store)

    def restore_shortcuts(self, store: PreferenceStore) -> None:
        """Apply the stored shortcuts."""
        stored = store.read("shortcuts", {}, json_object)
        changed = {name: keys for name, keys in stored.items() if _are_shortcuts(keys)}
        if len(changed) < len(stored):
            store.report("shortcuts")
        for name, command in self._commands.items():
            keys = changed.get(name, command.shortcuts)
            self._actions[name].setShortcuts([QKeySequence(each) for each in keys])
        self.shortcuts_removed.emit(self._removed_shortcuts(changed))

    def _removed_shortcuts(self, changed: Mapping[str, list[str]]) -> list[str]:
        """Default shortcuts of these commands that no command of the graph uses now."""
        theirs = [key for name in changed if name in self._commands
                  for key in self._commands[name].shortcuts]  # fmt: skip
        in_graph = [action for name, action in self._actions.items() if not is_canvas_command(name)]
        taken = {keys.toString() for action in in_graph for keys in action.shortcuts()}
        return [key for key in theirs if QKeySequence(key).toString() not in taken]

    def run(self, name: str) -> None:
        """Run the command, if it is enabled."""
        command = self._commands[name]
        if command.enabled():
            command.callback()
        self.update_states()

    def update_states(self) -> None:
        """Update the enabled state, the check mark and the text of every action."""
        for name, command in self._commands.items():
            action = self._actions[name]
            action.setEnabled(command.enabled())
            if command.checked is not None:
                action.setChecked(command.checked())
            if command.label is not None:
                action.setText(command.label())


def _are_shortcuts(stored: object) -> bool:
    return isinstance(stored, list) and all(isinstance(keys, str) for keys in stored)


def is_canvas_command(name: str) -> bool:
    """Whether a command is available only while a canvas is shown."""
    return name.startswith(("canvas.", "tool."))


def shortcut_text(action: QAction) -> str:
    """The shortcuts of an action, as menus show them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(keys.toString(native) for keys in action.shortcuts())
