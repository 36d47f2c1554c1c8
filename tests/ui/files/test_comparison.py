"""*Compare with…*: two states of a workflow as one, with the differences in colour."""

import pytest

from nodeforge.formats import load, read, save, write
from nodeforge.graph.comparison.coloured import ADDED, CHANGED, REMOVED
from nodeforge.graph.edits import AddNodes, RemoveNodes, SetValue
from nodeforge.graph.model import Mode, Node
from nodeforge.settings import shipped


@pytest.fixture
def opened(window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    return window.workspace.current


def changed(opened) -> None:
    opened.perform(SetValue("prompt", "text", "a cat"))
    opened.perform(RemoveNodes(["negative"]))
    opened.perform(AddNodes([Node("graph.note", {"text": "new"})]))


def test_a_file_is_compared_in_a_new_tab(qtbot, window, opened):
    changed(opened)
    window.files.comparison.with_file(opened, shipped("workflows") / "text_to_image.json")
    qtbot.waitUntil(lambda: window.workspace.current is not opened)
    made = window.workspace.current.document
    other = {"prompt": CHANGED, "denoise": CHANGED}  # which lost the link from what is gone
    assert made.view.colours == {"note": ADDED, "negative": REMOVED} | other
    assert made.node("negative").mode is Mode.MUTE
    assert made.view.positions["negative"] == [268, 176]


def test_a_version_is_compared(qtbot, window, opened):
    window.autosave.keep_version(opened)
    opened.perform(SetValue("prompt", "text", "a cat"))
    dialog = window.files.show_versions(opened)
    dialog.list.setCurrentRow(1)
    dialog._compare()
    assert window.workspace.current.document.view.colours == {"prompt": CHANGED}
    assert opened.document.view.colours == {}


def test_a_file_that_is_none_says_so(qtbot, window, opened, tmp_path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{")
    window.files.comparison.with_file(opened, wrong)
    qtbot.waitUntil(lambda: window.area.message_bars.text("compare") != "")
    assert window.workspace.current is opened


def test_a_comparison_can_be_saved_and_read(qtbot, window, opened, tmp_path):
    before = load(shipped("workflows") / "text_to_image.json")
    changed(opened)
    made = window.files.comparison.show(opened, before, "before")
    save(made.document, tmp_path / "both.json")
    again = read(write(made.document))  # entries of the form are numbered anew
    assert load(tmp_path / "both.json") == again
