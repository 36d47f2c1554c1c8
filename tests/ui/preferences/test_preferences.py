"""Preferences: found by search, shortcuts without conflicts, packs off until allowed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from nodeforge.engine.content.pack_content import content_hash
from nodeforge.errors import RequestError
from nodeforge.settings import Attention, load_settings
from nodeforge.ui.preferences import Preferences
from nodeforge.ui.running.output_folders import expand_pattern

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def dialog(qtbot, window):
    made = Preferences(window.workspace, window.commands, window)
    qtbot.addWidget(made)
    made.show()
    return made


def shown(dialog) -> list[str]:
    """The rows that are seen, by their words."""
    return [
        row.words
        for section in dialog._sections
        for row in section.rows
        if row.parts[0].isVisible()
    ]


def test_preferences_are_found_by_any_of_their_words(qtbot, dialog):
    everything = len(shown(dialog))
    qtbot.keyClicks(dialog.search, "vram")
    assert len(shown(dialog)) == 1
    dialog.search.clear()
    qtbot.keyClicks(dialog.search, "cache size")
    assert len(shown(dialog)) == 2
    dialog.search.clear()
    qtbot.keyClicks(dialog.search, "duplicate")
    assert len(shown(dialog)) == 1
    names = [dialog.shortcuts.list.topLevelItem(row) for row in range(60)]
    assert [item.text(0) for item in names if not item.isHidden()] == ["Duplicate"]
    assert dialog.shortcuts.list.currentItem().text(0) == "Duplicate"
    assert dialog.shortcuts.editor.keySequence().toString() == "Ctrl+D"
    dialog.search.clear()
    qtbot.keyClicks(dialog.search, "xyzzy")
    assert shown(dialog) == []
    assert dialog._empty.isVisible()
    dialog.search.clear()
    assert len(shown(dialog)) == everything


def test_each_preference_says_its_default(dialog):
    rows = [row for section in dialog._sections for row in section.rows if len(row.parts) == 3]
    assert len(rows) >= 12
    assert all(row.parts[2].text().startswith("default: ") for row in rows)


def test_other_keys_work_at_once_and_the_old_ones_no_more(qtbot, window, open_window):
    window.workspace.new()
    window.library.chosen.emit("values.integer")
    (name,) = window.workspace.current.document.graph.nodes
    dialog = Preferences(window.workspace, window.commands, window)
    dialog.shortcuts.choose("node.mute")
    dialog.shortcuts.editor.setKeySequence(QKeySequence("Shift+U"))
    dialog.shortcuts.editor.editingFinished.emit()
    dialog.accept()
    node = window.workspace.current.document.node(name)
    graph = window.area.view.session.viewer
    graph.setFocus()
    qtbot.keyClick(graph, Qt.Key.Key_M, PLAIN)
    assert node.mode == ""
    qtbot.keyClick(graph, Qt.Key.Key_U, SHIFT)
    assert node.mode == "mute"
    assert open_window().commands.shortcuts("node.mute") == ["Shift+U"]


def test_two_commands_with_the_same_keys_are_named_and_not_saved(dialog, window):
    dialog.shortcuts.choose("node.mute")
    dialog.shortcuts.editor.setKeySequence(QKeySequence("Ctrl+D"))
    dialog.shortcuts.editor.editingFinished.emit()
    assert dialog.shortcuts.conflict.text() == "Ctrl+D is for “Duplicate” and “Mute”."
    dialog.accept()
    assert dialog.isVisible()
    assert "Choose other keys" in dialog._failed.text()
    dialog.shortcuts.default.click()
    dialog.accept()
    assert not dialog.isVisible()
    assert window.commands.shortcuts("node.mute") == ["M"]


def test_a_pack_is_off_until_it_is_allowed_and_again_when_it_changes(window, home: Path):
    pack = home / "packs" / "theirs"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text('"""Theirs."""\n')
    dialog = Preferences(window.workspace, window.commands, window)
    item = dialog.packs.list.topLevelItem(0)
    assert item.checkState(0) is Qt.CheckState.Unchecked
    item.setCheckState(0, Qt.CheckState.Checked)
    assert item.text(1) == "allowed, as it is now"
    dialog.accept()
    assert load_settings(home).packs_allowed == {"theirs": content_hash(pack)}
    (pack / "__init__.py").write_text('"""Theirs, changed."""\n')
    again = Preferences(window.workspace, window.commands, window).packs
    assert again.list.topLevelItem(0).text(1) == "off: it has changed since it was allowed"
    assert again.allowed() == {}


def test_results_go_to_folders_by_a_pattern():
    assert expand_pattern("", "fox") == ""
    assert expand_pattern("{date}/{workflow}", "my/fox", 0.0).endswith("-01/my_fox")
    for wrong in ("{when}", "../out", "/etc", "{", "{date.__class__}/x"):
        with pytest.raises(RequestError):
            expand_pattern(wrong, "fox")


def test_a_wrong_pattern_is_refused_in_words(qtbot, dialog, window):
    dialog.pattern.setText("{when}")
    dialog.accept()
    assert "placeholder that is not known" in dialog._failed.text()
    dialog.pattern.setText("{date}")
    dialog.autosave.setValue(20)
    dialog.accept()
    window.autosave.reload_interval()
    assert window.autosave._timer.interval() == 20_000
    assert window.workspace.store.value("output_pattern") == "{date}"
    assert json.loads((window.workspace.settings.home / "settings.json").read_text())


def test_ways_of_attention_that_are_there_are_offered_and_the_chosen_one(window):
    workspace = window.workspace
    workspace.attention = ["auto", "math"]
    workspace.settings = replace(workspace.settings, attention=Attention.CUDNN)
    box = Preferences(workspace, window.commands, window).attention
    assert [box.itemData(row) for row in range(box.count())] == ["auto", "math", "cudnn"]
    assert "not found" in box.currentText()


def test_a_check_box_says_its_state(dialog):
    """Window C32: an unchecked box said On."""
    assert dialog.fp8.text() == "Off"
    dialog.fp8.click()
    assert dialog.fp8.text() == "On"


def test_cards_are_offered_and_one_that_is_away_stays_chosen(window):
    workspace = window.workspace
    workspace.graphics_cards = {"cuda:0": "Small", "cuda:1": "Large"}
    workspace.settings = replace(workspace.settings, device="cuda:7")
    box = Preferences(workspace, window.commands, window).device
    assert box.currentData() == "cuda:7"
    assert "not found" in box.currentText()
    assert box.itemText(box.findData("cuda:1")) == "Large (cuda:1)"


def test_text_encoders_and_vaes_have_an_attention_of_their_own(dialog, window):
    assert dialog.text_attention.currentText() == "As the denoiser"
    assert dialog.vae_attention.findData(Attention.SAGE) == -1
    dialog.text_attention.setCurrentIndex(dialog.text_attention.findData(Attention.MATH))
    dialog.accept()
    saved = load_settings(window.workspace.settings.home)
    assert (saved.text_attention, saved.vae_attention) == (Attention.MATH, None)


def test_a_shared_folder_that_is_away_is_refused_and_workers_are_kept(dialog, tmp_path: Path):
    dialog.workers.setValue(2)
    dialog.worker_devices.setText("cuda:3")
    dialog.accept()
    assert "names 1 devices, and 2 workers are wanted" in dialog._failed.text()
    dialog.worker_devices.setText("cuda:3, box")
    dialog.shared.setText(str(tmp_path / "away"))
    dialog.accept()
    assert "away is not there" in dialog._failed.text()
    (tmp_path / "away").mkdir()
    dialog.accept()
    kept = load_settings(dialog._settings.home)
    assert (kept.workers, kept.shared_cache) == (2, str(tmp_path / "away"))
    assert kept.worker_devices == ("cuda:3", "box")
