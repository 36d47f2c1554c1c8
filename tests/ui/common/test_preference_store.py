"""Preferences of a wrong kind in ``window.ini`` cost themselves alone, and are said once."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QPoint

from nodeforge.settings import Settings
from nodeforge.ui.application.app import window_store
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions, number_option
from nodeforge.ui.common.command_registry import Command, CommandRegistry
from nodeforge.ui.common.preference_store import PreferenceStore
from nodeforge.ui.documents.autosave import PAUSE, autosave_interval
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.docks import Docks

ODD = (5, 1e308, "", "5x", "²", "9" * 30, "[]", "{", "null", ["a", 5], QByteArray(b"\xff"),
       QPoint(1, 2), "a\0b", "x" * 300, {"a": 1}, True, [])  # fmt: skip


def store_with(home: Path, key: str, value: object) -> PreferenceStore:
    written = window_store(home)
    written.setValue(key, value)
    written.sync()
    del written
    return window_store(home)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize(
    "key",
    ["autosave_pause", "recent", "shortcuts", "canvas/kit", "theme", "window/docks",
     "window/geometry"],
)  # fmt: skip
def test_a_value_of_a_wrong_kind_is_not_used(key: str, odd: object, tmp_path: Path, qtbot):
    store = store_with(tmp_path, key, odd)
    assert 1 <= autosave_interval(store) <= 3600
    workspace = Workspace(Settings(home=tmp_path), store)
    assert workspace.recent == []
    workspace.add_recent(tmp_path / "other.json")
    window = BaseWindow()
    qtbot.addWidget(window)
    commands = CommandRegistry(window)
    commands.add(Command("file.open", "Open", lambda: None, ("Ctrl+O",)))
    commands.restore_shortcuts(store)
    assert commands.shortcuts("file.open") == ["Ctrl+O"]
    Docks(window).restore_layout(store)
    options = ToolOptions(store)
    size = number_option("size", "Size", 20, 1, 1000, 1)
    assert options.value("brush", size) == 20
    assert len(store.problems) <= 1


def test_single_wrong_values_leave_the_others(tmp_path: Path, qtbot):
    keys = {"file.open": ["Ctrl+J"], "file.save": 5, "file.new": [7], "from.the.future": ["F9"]}
    store = store_with(tmp_path, "shortcuts", json.dumps(keys))
    store.setValue(
        "canvas/kit",
        '{"options": {"brush": {"size": NaN, "hardness": 30}, "eraser": 5}, "front": 7,'
        ' "back": "#112233", "swatches": ["#445566", 5, "none"], "from_the_future": 1}',
    )
    store.setValue("autosave_pause", "soon")
    window = BaseWindow()
    qtbot.addWidget(window)
    commands = CommandRegistry(window)
    commands.add(Command("file.open", "Open", lambda: None, ("Ctrl+O",)))
    commands.add(Command("file.save", "Save", lambda: None, ("Ctrl+S",)))
    commands.restore_shortcuts(store)
    assert commands.shortcuts("file.open") == ["Ctrl+J"]
    assert commands.shortcuts("file.save") == ["Ctrl+S"]
    options = ToolOptions(store)
    assert options.value("brush", number_option("size", "Size", 20, 1, 1000, 1)) == 20
    assert options.value("brush", number_option("hardness", "Hardness", 80, 0, 100, 1)) == 30
    assert options.foreground.name() == "#000000"
    assert options.background.name() == "#112233"
    assert options.swatches == ["#445566"]
    for _ in range(2):
        assert autosave_interval(store) == PAUSE
        commands.restore_shortcuts(store)
    assert len(store.problems) == 2  # each is said once

    options.swap_colours()
    assert json.loads(str(store.value("canvas/kit")))["from_the_future"] == 1
    commands.set_shortcuts({"file.open": ["Ctrl+K"]}, store)
    kept = json.loads(str(store.value("shortcuts")))
    assert (kept["file.open"], kept["from.the.future"]) == (["Ctrl+K"], ["F9"])
