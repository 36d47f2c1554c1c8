"""The window as a person meets it: start page, tabs, menus, palette, themes, layout."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QMessageBox, QSlider

from nodeforge.settings import load_settings, shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.common.command_registry import shortcut_text
from nodeforge.ui.files.relink_dialog import RelinkDialog
from nodeforge.ui.window.menus.command_palette import CommandPalette, ShortcutList, match_cost
from nodeforge.ui.window.menus.menu_layout import MENUS, SEPARATOR
from nodeforge.ui.window.start_page import WorkflowCard

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


def test_the_window_needs_no_torch_and_at_first_no_node_graph_and_no_numpy():
    late = {"torch", "diffusers", "NodeGraphQt", "scipy", "numpy", "cv2", "PIL", "filelock"}
    imported = "sys, nodeforge.ui.application.app, nodeforge.ui.window.main_window"
    code = f"import {imported}; print(*({late} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not done.stdout.split()


def test_the_command_line_needs_no_qt():
    code = "import sys, nodeforge.__main__, nodeforge.cli.main; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_card_of_the_start_page_opens_a_copy_of_its_workflow(qtbot, window):
    card = next(
        c for c in window.findChildren(WorkflowCard) if c.accessibleName() == "Text to image"
    )
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    opened = window.workspace.current
    assert opened.name == "text_to_image"
    assert opened.path is None  # saving it never changes what is shipped
    assert not opened.modified


def test_every_card_says_what_its_workflow_does(window):
    for card in window.findChildren(WorkflowCard):
        assert len(card.accessibleDescription().split()) > 3, card.accessibleName()


def test_a_card_is_pressed_by_the_keyboard_too(qtbot, window):
    card = window.findChildren(WorkflowCard)[0]
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Return)
    assert window.workspace.current is not None


def test_a_dropped_workflow_opens(window, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_bytes(TEXT_TO_IMAGE.read_bytes())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(10, 10), action, data, button, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(10, 10), action, data, button, keys))
    assert window.workspace.current.path == file


def test_a_file_that_is_no_workflow_is_refused_in_words(window, tmp_path: Path):
    file = tmp_path / "broken.json"
    file.write_text("{")
    window.files.open(file)
    assert "broken.json" in window.area.message_bars.text("open")
    assert window.workspace.current is None


def test_tabs_switch_by_click_and_say_what_is_unsaved(qtbot, window):
    window.workspace.new()
    window.workspace.new()
    bar = window.area.tabs.tabBar()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(0).center())
    assert window.workspace.current is window.workspace.documents[0]
    window.library.chosen.emit("values.integer")
    assert bar.tabText(0) == "Untitled 1 •"


def test_a_node_is_added_by_searching_the_library(qtbot, window):
    window.workspace.new()
    qtbot.keyClicks(window.library.search, "whole number")
    qtbot.keyClick(window.library.search, Qt.Key.Key_Return)
    nodes = window.workspace.current.document.graph.nodes
    assert [node.type for node in nodes.values()] == ["values.integer"]


def test_enter_adds_a_node_and_keeps_a_name_while_another_node_is_selected(qtbot, window):
    window.workspace.new()
    window.library.chosen.emit("values.integer")
    window.activateWindow()
    document = window.workspace.current.document
    for keys, text in ((Qt.Key.Key_Tab, "whole number"), (Qt.Key.Key_F2, "mine")):
        qtbot.keyClick(window.area.view.session.viewer, keys)
        qtbot.keyClicks(QApplication.focusWidget(), text)
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert [node.title for node in document.graph.nodes.values()] == ["", "mine"]


def test_tab_in_the_search_goes_down_the_list(qtbot, window):
    window.workspace.new()
    window.activateWindow()
    for _ in range(3):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert window.area.view.node_search.popup.list.currentRow() == 2


def test_undo_and_redo_name_what_they_do(qtbot, window):
    window.workspace.new()
    window.library.chosen.emit("values.integer")
    assert window.commands["edit.undo"].text() == "Undo add integer"
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not window.workspace.current.document.graph.nodes
    assert window.commands["edit.redo"].text() == "Redo add integer"


def test_every_menu_entry_is_a_command_and_every_command_but_few_is_in_a_menu(window):
    entries = [entry for _, entries in MENUS.values() for entry in entries]
    inner = [name for entry in entries if isinstance(entry, tuple) for name in entry[1]]
    listed = {name for name in [*entries, *inner] if isinstance(name, str)} - {SEPARATOR}
    assert listed == {command.name for command in window.commands}


def test_no_two_commands_have_the_same_keys(window):
    for hidden in (("node.",), ("canvas.", "tool.")):  # graph and canvas are never both in front
        seen = [each for each in window.commands if not each.name.startswith(hidden)]
        keys = [keys for command in seen for keys in command.shortcuts]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", ["view.light", "view.log", "edit.select_all", "node.layout"])
def test_commands_run_from_the_registry(window, name: str):
    window.files.open(TEXT_TO_IMAGE)
    window.commands.run(name)


def test_the_list_of_shortcuts_is_searched_by_names_and_keys(qtbot, window):
    """window C33: it had no search."""
    shortcuts = ShortcutList(window.commands, window)
    qtbot.addWidget(shortcuts)
    rows = [shortcuts.table.topLevelItem(row) for row in range(shortcuts.table.topLevelItemCount())]
    for words, found in (
        ("save as", "Save as…"),
        ("ctrl+shift+s", "Save as…"),
        ("F1", "Shortcuts"),
    ):
        shortcuts.search.setText(words)
        assert found in [row.text(0) for row in rows if not row.isHidden()]
        assert sum(not row.isHidden() for row in rows) < 8
    shortcuts.search.clear()
    assert not any(row.isHidden() for row in rows)


def test_the_palette_finds_a_command_and_does_it(qtbot, window):
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_P, keys)
    palette = window.findChild(CommandPalette)
    qtbot.keyClicks(palette.search, "newwf")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert len(window.workspace.documents) == 1


def test_a_panel_behind_another_is_brought_to_the_front_and_hidden_only_there(qtbot, window):
    """From the palette, "Grids" took the panel away that one wanted to see."""
    window.docks.show("gallery")
    grids = window.docks.all["grids"]
    qtbot.waitUntil(lambda: grids.visibleRegion().isEmpty())
    window.commands.run("view.grids")
    qtbot.waitUntil(lambda: not grids.visibleRegion().isEmpty())
    assert not grids.isHidden()
    window.commands.run("view.grids")
    assert grids.isHidden()
    window.commands.run("view.grids")
    qtbot.waitUntil(lambda: not grids.visibleRegion().isEmpty())


def test_fuzzy_search_prefers_the_starts_of_words():
    assert match_cost("rt", "Run to selected") < match_cost("rt", "Restart worker")
    assert match_cost("xyz", "Run") is None


def test_the_theme_switches_and_is_remembered(window, open_window):
    window.commands.run("view.light")
    assert not window.workspace.theme.is_dark
    assert not open_window().workspace.theme.is_dark


def test_the_layout_is_remembered(window, open_window):
    window.docks.all["library"].hide()
    window.close()
    assert open_window().docks.all["library"].isHidden()


def test_closing_asks_once_about_unsaved_changes(window, monkeypatch):
    asked: list[str] = []

    def answer(box: QMessageBox) -> int:
        asked.append(box.text())
        button = next(b for b in box.buttons() if b.text() == "&Discard")
        monkeypatch.setattr(QMessageBox, "clickedButton", lambda _: button)
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    for _ in range(2):
        window.workspace.new()
        window.library.chosen.emit("values.integer")
    window.close()
    assert asked == ["“Untitled 1”, “Untitled 2” have changes that are not saved."]


def test_every_control_has_a_name_for_screen_readers(window):
    window.files.open(TEXT_TO_IMAGE)
    for node in ("denoise", "noise", "model", "prompt", "save"):
        window.area.view.select([node])
        for kind in (QAbstractButton, QLineEdit, QSlider):
            for control in window.findChildren(kind):
                ours = not control.objectName().startswith("qt_")
                if control.isVisible() and ours:
                    name = control.accessibleName() or getattr(control, "text", str)()
                    assert name, control


def test_keys_are_written_as_menus_write_them(window):
    assert shortcut_text(window.commands["file.save"]) == "Ctrl+S"


def test_a_file_is_dropped_onto_the_graph(window, tmp_path: Path):
    window.workspace.new()
    file = tmp_path / "mine.json"
    file.write_bytes(TEXT_TO_IMAGE.read_bytes())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    target = window.area.view.session.viewer.viewport()
    enter = QDragEnterEvent(QPoint(10, 10), action, data, button, keys)
    QApplication.sendEvent(target, enter)
    QApplication.sendEvent(target, QDropEvent(QPointF(10, 10), action, data, button, keys))
    assert window.workspace.current.path == file


def test_node_types_that_become_known_are_offered_and_drawn(window):
    window.files.open(TEXT_TO_IMAGE)
    window.workspace.new()
    known = window.workspace.catalogue
    more = replace(known["values.float"], type="mine.thing", title="Thing of mine")
    window.workspace.set_catalogue(Catalogue([*known.values(), more]))
    assert window.library.tree.findItems("Thing of mine", Qt.MatchFlag.MatchRecursive)
    assert window.area.tabs.count() == 2
    assert window.workspace.current is window.workspace.documents[1]
    window.library.chosen.emit("mine.thing")
    assert window.workspace.current.document.graph.nodes


def test_missing_models_are_offered_to_be_relinked(window, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text(TEXT_TO_IMAGE.read_text().replace('"nano"', '"no-such"'))
    window.files.open(file)
    window.runner.planner.check(window.workspace.current)
    assert "not on this machine" in window.area.message_bars.text(
        f"models {window.workspace.current.id}"
    )
    found: list[str] = []

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, RelinkDialog)
        found.extend(name for _, name in dialog.rows)
        dialog.reject()

    QTimer.singleShot(300, answer)
    window.relink(window.workspace.current)
    assert found == ["no-such"]
    window.files.open(TEXT_TO_IMAGE)
    window.relink(window.workspace.current)  # looks, and says that nothing is missing
    assert window.status.text == "No model is missing."


def test_settings_of_a_wrong_kind_are_said_when_the_window_opens(qtbot, home: Path, open_window):
    (home / "settings.json").write_text('{"device": 5, "precision": "half"}')
    (home / "window.ini").write_text("[General]\nautosave_pause=soon\n")
    window = open_window(settings=load_settings(home))
    qtbot.waitUntil(lambda: bool(window.area.message_bars.text("settings")))
    text = window.area.message_bars.text("settings")
    assert "settings.json: 'device'" in text
    assert "window.ini: 'autosave_pause'" in text
