"""Versions: what a workflow was, opened beside it; nothing of the user's is overwritten."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from nodeforge.formats import load
from nodeforge.graph.edits import Move, SetValue
from nodeforge.settings import shipped
from nodeforge.ui.documents.versions import MOST, NEWEST, kept_of
from nodeforge.ui.files.versions_dialog import when_text

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def opened(window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    return window.workspace.current


def texts(window, opened) -> list[str]:
    versions = window.autosave.versions.of(opened)
    return [load(each.file).node("prompt").values["text"] for each in versions]


def say(window, opened, text: str) -> None:
    opened.perform(SetValue("prompt", "text", text))
    window.autosave.keep_version(opened)


def test_each_change_is_a_version_and_the_first_is_as_it_was_opened(window, opened):
    say(window, opened, "a dog")
    say(window, opened, "a cat")
    opened.perform(Move({"prompt": (7, 7)}))  # where nodes are is no change
    window.autosave.keep_version(opened)
    assert texts(window, opened) == ["a cat", "a dog", "a fox"]


def test_a_seed_that_was_drawn_for_a_run_is_no_version(window, opened):
    window.autosave.keep_version(opened)
    opened.perform(SetValue("noise", "seed", 77))
    window.autosave.keep_version(opened)
    assert len(window.autosave.versions.of(opened)) == 1
    opened.document.view.seeds.clear()  # fixed: the person's own
    opened.perform(SetValue("noise", "seed", 78))
    window.autosave.keep_version(opened)
    assert len(window.autosave.versions.of(opened)) == 2


def test_a_pause_of_editing_writes_a_version(qtbot, window, opened):
    window.autosave._timer.setInterval(10)
    opened.perform(SetValue("prompt", "text", "a dog"))
    qtbot.waitUntil(lambda: texts(window, opened) == ["a dog", "a fox"])


def test_a_version_has_the_last_result_then(window, opened):
    red, blue = (
        QImage(400, 200, QImage.Format.Format_RGB32),
        QImage(8, 8, QImage.Format.Format_RGB32),
    )
    red.fill(0xFF0000)
    blue.fill(0x0000FF)
    window.autosave.keep_version(opened)
    assert window.autosave.versions.of(opened)[0].picture is None
    opened.show_picture("decode", red)
    window.autosave.keep_version(opened)
    say(window, opened, "a dog")
    opened.show_picture("decode", blue)
    window.autosave.keep_version(opened)
    newest, first = (QImage(str(v.picture)) for v in window.autosave.versions.of(opened))
    assert (newest.width(), newest.pixelColor(0, 0).blue()) == (8, 255)
    assert (first.width(), first.height(), first.pixelColor(0, 0).red()) == (192, 96, 255)


def test_versions_stay_with_the_file_also_those_before_its_first_save(
    window, opened, tmp_path: Path
):
    say(window, opened, "a dog")
    file = tmp_path / "mine.json"
    assert window.files._write(opened, file)
    assert texts(window, opened) == ["a dog", "a fox"]
    window.workspace.close(opened)
    window.files.open(file)
    again = window.workspace.current
    say(window, again, "a cat")
    assert texts(window, again) == ["a cat", "a dog", "a fox"]
    (tmp_path / "other.json").write_bytes(file.read_bytes())
    window.files.open(tmp_path / "other.json")
    assert texts(window, window.workspace.current) == []


def test_a_version_opens_beside_with_what_changed(qtbot, window, opened, tmp_path: Path):
    window.files._write(opened, tmp_path / "mine.json")
    saved = (tmp_path / "mine.json").read_bytes()
    for text in ("a dog", "a cat"):
        say(window, opened, text)
    dialog = window.files.show_versions(opened)
    rows = dialog.list
    qtbot.waitUntil(lambda: "oldest" in rows.item(2).text())
    assert '"a dog" → "a cat"' in rows.item(0).text()
    assert '"a fox" → "a dog"' in rows.item(1).text()
    rows.setCurrentRow(2)
    dialog.accept()
    beside = window.workspace.current
    assert beside is not opened
    assert beside.path is None
    assert beside.name.startswith("mine, today ")
    assert beside.document.node("prompt").values["text"] == "a fox"
    assert opened.document.node("prompt").values["text"] == "a cat"
    assert (tmp_path / "mine.json").read_bytes() == saved


def test_a_damaged_version_costs_itself_alone(qtbot, window, opened):
    for text in ("a dog", "a cat"):
        say(window, opened, text)
    window.autosave.versions.of(opened)[1].file.write_text("{")
    dialog = window.files.show_versions(opened)
    qtbot.waitUntil(lambda: "oldest" in dialog.list.item(2).text())
    assert "JSON" in dialog.list.item(1).text()
    assert '"a fox" → "a cat"' in dialog.list.item(0).text()
    dialog.list.setCurrentRow(1)
    dialog.accept()
    assert window.workspace.current is opened
    say(window, opened, "an owl")
    assert len(window.autosave.versions.of(opened)) == 4


def test_a_damaged_newest_version_keeps_none_from_being_written(window, opened, tmp_path: Path):
    file = tmp_path / "mine.json"
    window.files._write(opened, file)
    window.autosave.versions.of(opened)[0].file.write_text("{")
    window.workspace.close(opened)
    window.files.open(file)
    again = window.workspace.current
    window.autosave.keep_version(again)
    assert len(window.autosave.versions.of(again)) == 2


def test_a_folder_that_cannot_be_written_is_told(window, opened, home: Path):
    (home / "versions").write_text("a file")
    told: list[str] = []
    window.autosave.failed.connect(told.append)
    say(window, opened, "a dog")
    assert told


def test_a_workflow_without_versions_says_when_there_are_some(window):
    empty = window.workspace.new()
    dialog = window.files.show_versions(empty)
    assert dialog.list.count() == 0
    dialog.accept()
    assert dialog.isVisible()
    dialog.reject()


def test_old_versions_are_thinned():
    times = [NOW - timedelta(minutes=10 * number) for number in range(6 * 24 * 30)]
    kept = kept_of(times, NOW)
    assert kept[:NEWEST] == times[:NEWEST]
    assert NEWEST + 20 < len(kept) <= MOST
    assert NOW - kept[-1] > timedelta(days=10)
    assert kept_of(kept, NOW) == kept
    assert kept_of(times[:5], NOW) == times[:5]


def test_times_are_as_people_say_them():
    now = datetime(2026, 11, 29, 12, 30, 5).astimezone()
    assert when_text(now, now) == "today 12:30:05"
    assert when_text(now - timedelta(days=1), now) == "yesterday 12:30:05"
    assert when_text(now - timedelta(days=9), now) == "20 Nov 2026 12:30"
