"""What the linter finds is seen on nodes, inputs, words and in the panel, and mended there."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QInputDialog, QPlainTextEdit, QPushButton

from nodeforge.formats.workflow import write
from nodeforge.graph.edits import SetValue
from nodeforge.settings import shipped
from nodeforge.ui.panels.rule_dialog import RuleDialog


@pytest.fixture
def opened(window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    return window.workspace.current


def change(window, opened, path: str, port: str, value) -> None:
    opened.perform(SetValue(path, port, value))
    window.runner.planner.check(opened)


def buttons(window, text: str) -> list[QPushButton]:
    found = window.problems.widget().findChildren(QPushButton)
    return [each for each in found if each.text() == text]


def codes(opened) -> list[str]:
    return [each.code for each in opened.problems]


def node_item(window, path: str):
    return window.area.view.session.scene.node_items[path]


def test_fix_is_one_step_and_undo_brings_the_problem_back(qtbot, window, opened):
    change(window, opened, "guidance", "scale", 20.0)
    assert codes(opened) == ["NF203"]
    before = write(opened.document)
    (fix,) = buttons(window, "Fix")
    assert "changes" in fix.toolTip()
    qtbot.mouseClick(fix, Qt.MouseButton.LeftButton)
    assert opened.document.node("guidance").values["scale"] == 3.0
    window.runner.planner.check(opened)
    assert codes(opened) == []
    opened.document.undo()
    assert write(opened.document) == before
    window.runner.planner.check(opened)
    assert codes(opened) == ["NF203"]


def test_a_rule_is_silenced_at_the_node_with_a_reason_and_undo_brings_it_back(
    qtbot, window, opened
):
    change(window, opened, "guidance", "scale", 20.0)
    (silence,) = buttons(window, "I know…")
    qtbot.mouseClick(silence, Qt.MouseButton.LeftButton)
    asking = window.problems.findChild(QInputDialog)
    asking.setTextValue("burnt on purpose")
    asking.accept()
    assert opened.document.node("guidance").lint == {"NF203": "burnt on purpose"}
    window.runner.planner.check(opened)
    assert codes(opened) == []
    opened.document.undo()
    window.runner.planner.check(opened)
    assert codes(opened) == ["NF203"]


def test_an_error_cannot_be_silenced(window, opened):
    change(window, opened, "schedule", "steps", 0)
    assert codes(opened)[0] == "NF104"
    assert buttons(window, "I know…") == []


def test_why_shows_the_rule_with_its_source_and_example(qtbot, window, opened):
    change(window, opened, "guidance", "scale", 20.0)
    (why,) = buttons(window, "Why")
    qtbot.mouseClick(why, Qt.MouseButton.LeftButton)
    dialog = window.problems.findChild(RuleDialog)
    assert dialog.windowTitle() == "NF203 guidance_too_high"
    text = dialog.text.toPlainText()
    assert "arXiv:2305.08891" in text
    assert "scale: 20.0 → 6.0" in text
    close = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close)
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)


def test_hints_are_quiet_until_they_are_asked_for(qtbot, window, opened):
    counts: list[int] = []
    window.problems.counted.connect(counts.append)
    change(window, opened, "schedule", "steps", 70)
    assert codes(opened) == ["NF308"]
    assert counts == [0]
    assert buttons(window, "Fix") == []
    item = node_item(window, "schedule")
    assert item.problem == ""
    assert [badge for badge, _ in item.badges if badge in ("problem", "hint")] == ["hint"]
    assert "change nothing" in item.badge_tooltip("hint")
    (show,) = buttons(window, "1 hint")
    qtbot.mouseClick(show, Qt.MouseButton.LeftButton)
    assert len(buttons(window, "Fix")) == 1


def test_the_node_and_its_input_say_what_is_wrong(window, opened):
    change(window, opened, "guidance", "scale", 20.0)
    item = node_item(window, "guidance")
    assert item.problems.ports["scale"].text.startswith("Is 20; above 12 pictures of nano burn.")
    assert ("problem", item.pens.theme.warn) in item.badges
    window.area.view.select(["guidance"])
    row = window.inspector.row("scale")
    assert row._mark.isVisibleTo(row)
    assert "pictures of nano burn" in row._mark.accessibleName()
    change(window, opened, "guidance", "scale", 5.0)
    assert not row._mark.isVisibleTo(row)


def test_words_at_fault_are_underlined_in_the_prompt(window, opened):
    change(window, opened, "prompt", "text", "a fox, {red|blue}, small")
    window.area.view.select(["prompt"])
    edit = window.inspector.row("text").field.findChild(QPlainTextEdit)
    (found,) = edit.extraSelections()
    assert found.cursor.selectedText() == "{red|blue}"
    change(window, opened, "prompt", "text", "a fox, small")
    assert edit.extraSelections() == []


def test_words_that_the_model_was_never_taught_are_underlined(window, opened):
    change(window, opened, "prompt", "text", "a robot and a fox or a horse")
    window.area.view.select(["prompt"])
    edit = window.inspector.row("text").field.findChild(QPlainTextEdit)
    places = {each.cursor.selectedText(): each.cursor.position() for each in edit.extraSelections()}
    assert places == {"robot": 7, "or": 20}  # not within "horse"
