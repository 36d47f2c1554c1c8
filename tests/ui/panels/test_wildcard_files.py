"""Wildcards in the window: files edited, names completed, the resolved text shown."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QPlainTextEdit

from nodeforge.graph.edits import SetValue
from nodeforge.settings import shipped
from nodeforge.ui.fields.file_field import FileField
from nodeforge.ui.panels.wildcard_files import WildcardFilesDialog

WILDCARDS = shipped("workflows") / "wildcards.json"


@pytest.fixture
def dialog(qtbot, tmp_path) -> WildcardFilesDialog:
    made = WildcardFilesDialog(tmp_path / "wildcards")
    qtbot.addWidget(made)
    return made


def names(dialog) -> list[str]:
    return [dialog.files.item(row).text() for row in range(dialog.files.count())]


def test_files_are_added_edited_and_renamed(dialog):
    """wildcards 3: edited in the window."""
    assert names(dialog) == []
    assert not dialog.editor.isEnabled()
    assert dialog.add("animals/wild")
    dialog.editor.setPlainText("fox\nwölf")
    dialog.editor.document().setModified(True)
    assert dialog.add("colour")
    assert (dialog.folder / "animals" / "wild.txt").read_bytes() == "fox\nwölf".encode()
    assert names(dialog) == ["animals/wild", "colour"]
    dialog.files.setCurrentRow(0)
    assert dialog.editor.toPlainText() == "fox\nwölf"
    assert dialog.rename("animals/free")
    assert names(dialog) == ["animals/free", "colour"]
    assert dialog.editor.toPlainText() == "fox\nwölf"
    dialog.editor.setPlainText("bear")
    dialog.editor.document().setModified(True)
    dialog.reject()
    assert (dialog.folder / "animals" / "free.txt").read_text() == "bear"


@pytest.mark.parametrize(
    "name", ["", "../out", "a__b", ".hidden", "a/", "a\\b", "/a", " a", "x" * 300]
)
def test_names_that_cannot_be_are_refused_in_words(dialog, name):
    assert not dialog.add(name)
    assert "can be no wildcard's name" in dialog.message.text()
    assert not dialog.folder.exists()


def test_nothing_is_overwritten(dialog, tmp_path):
    dialog.add("a")
    dialog.editor.setPlainText("mine")
    dialog.editor.document().setModified(True)
    assert not dialog.add("a")
    assert "There is a file 'a' already" in dialog.message.text()
    (tmp_path / "a.txt").write_text("theirs")
    dialog.take([tmp_path / "a.txt"])
    assert "There is a file 'a' already" in dialog.message.text()
    dialog.reject()
    assert (dialog.folder / "a.txt").read_text() == "mine"


def test_files_are_dropped_into_the_folder(dialog, tmp_path):
    (tmp_path / "hats.txt").write_text("cap")
    (tmp_path / "shoes.yaml").write_text("shoes: [boots]")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / each)) for each in ("hats.txt", "shoes.yaml")])
    move, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    dialog.dropEvent(QDropEvent(QPointF(), move, data, left, none))
    assert names(dialog) == ["hats", "shoes.yaml"]


@pytest.mark.parametrize(
    ("name", "data", "fact"),
    [
        ("a.png", b"x", "is no wildcard file"),
        ("a.txt", b"\xff\xfe\x00", "is no text in UTF-8"),
        ("none.txt", None, "cannot be read"),
    ],
)
def test_files_that_cannot_be_taken_are_refused_in_words(dialog, tmp_path, name, data, fact):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    dialog.take([tmp_path / name])
    assert fact in dialog.message.text()


def test_a_broken_file_is_named_and_not_lost(dialog):
    dialog.folder.mkdir()
    (dialog.folder / "bad.yaml").write_text("a: [b")
    (dialog.folder / "latin.txt").write_bytes(b"f\xfcr")
    dialog._list("bad")
    assert "bad.yaml cannot be read" in dialog.message.text()
    assert dialog.editor.toPlainText() == "a: [b"
    dialog.files.setCurrentRow(1)
    assert "is no text in UTF-8" in dialog.message.text()
    dialog.reject()
    assert (dialog.folder / "latin.txt").read_bytes() == b"f\xfcr"


def test_a_deleted_file_goes_to_the_trash(dialog, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    dialog.add("a")
    path = dialog.folder / "a.txt"
    dialog.delete()
    assert path.exists() == ("cannot be moved to the trash" in dialog.message.text())


@pytest.fixture
def words(window, tmp_path):
    """The inspector's row for the text of the Wildcards node."""
    folder = window.workspace.settings.wildcards
    (folder / "animals").mkdir(parents=True)
    (folder / "colour.txt").write_text("teal\n")
    (folder / "animals" / "wild.txt").write_text("fox\n")
    window.files.open(WILDCARDS)
    window.area.view.select(["words"])
    return window.inspector.row("text").field.findChild(QPlainTextEdit)


def shown(window) -> list[str]:
    return [label.text() for label in window.inspector.findChildren(QLabel) if label.text()]


def test_the_resolved_text_is_shown_at_the_node(window, words, qtbot):
    opened = window.workspace.current
    opened.perform(SetValue("words", "text", "a __colour__ {cat|cat}"))
    assert "Gives: a teal cat" in shown(window)
    opened.perform(SetValue("words", "text", "a __color__"))
    assert any("there is no wildcard '__color__'" in text for text in shown(window))


def test_names_of_wildcards_are_completed(window, words, qtbot):
    words.setFocus()
    words.setPlainText("")
    qtbot.keyClicks(words, "a __co")
    assert words.completion.suggestions == ["__colour__"]
    qtbot.keyClick(words, Qt.Key.Key_Tab)
    assert words.toPlainText() == "a __colour__"
    qtbot.keyClicks(words, " __animals/w")
    assert words.completion.suggestions == ["__animals/wild__"]
    words.setPlainText("")
    qtbot.keyClicks(words, "__wi")
    assert words.completion.suggestions == ["__animals/wild__"]


def test_a_folder_that_is_chosen_is_granted(window, words, tmp_path):
    (tmp_path / "others").mkdir()
    field = window.inspector.row("folder").field
    assert isinstance(field, FileField)
    assert field.editor().text() == "Your wildcard files"
    field.take(tmp_path / "others")
    opened = window.workspace.current
    assert opened.document.node("words").values["folder"] == str(tmp_path / "others")
    assert str(tmp_path / "others") in opened.granted


def test_a_text_file_becomes_an_asset(window, tmp_path: Path):
    from nodeforge.graph.model import Node

    window.files.open(WILDCARDS)
    opened = window.workspace.current
    opened.document.graph.nodes["lines"] = Node("lists.lines", {})
    (tmp_path / "lines.txt").write_text("one\ntwo")
    field = FileField(window.workspace, "text")
    taken = []
    field.edited.connect(lambda value, edits: taken.append((value, edits)))
    field.take(tmp_path / "lines.txt")
    ((value, edits),) = taken
    assert value == "asset:lines.txt"
    assert len(edits) == 1
    refused = []
    field.refused.connect(refused.append)
    (tmp_path / "picture.txt").write_bytes(b"\xff\xd8\xff")
    field.take(tmp_path / "picture.txt")
    assert "is no text in UTF-8" in refused[0]
