"""The form in the real window: its rows, what is dropped there, its dialog, its results."""

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QMenu, QPlainTextEdit
from shiboken6 import isValid

from nodeforge.formats import save
from nodeforge.graph.edits import AddNodes, AddToForm, Link, RemoveFromForm, SetForm
from nodeforge.graph.form import form_sections
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.ui.fields.number_field import NumberField
from nodeforge.ui.form_view.entries import EMPTY
from nodeforge.ui.inspector.form_entry import add_form_entry
from nodeforge.ui.inspector.port_row import INPUT_MIME
from support.mouse import wheel

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(window):
    window.files.open(TEXT_TO_IMAGE)
    window.area.show_view("form")
    assert window.area.form is not None
    return window.area.form


@pytest.fixture
def document(window, form):
    return window.workspace.current.document


def row(form, key: str):
    return next(row for row in form.entries.rows if f"{row.path}.{row.port}" == key)


def drop(widget, key: str, place: QPoint) -> None:
    data = QMimeData()
    data.setData(INPUT_MIME, key.encode())
    event = QDropEvent(
        QPointF(place), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    widget.dropEvent(event)


def test_values_are_set_and_taken_back(qtbot, form, document, window):
    editor = row(form, "prompt.text").field.editor()
    assert isinstance(editor, QPlainTextEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "a dog")
    assert document.node("prompt").values["text"] == "a dog"
    window.workspace.current.undo()
    assert editor.toPlainText() == "a fox"


def test_the_form_has_the_window_and_gives_it_back(form, window):
    assert not any(dock.isVisible() for dock in window.docks.all.values())
    assert window.area.view_switch.buttons["form"].isChecked()
    assert not window.can_call_in_front("delete_selected")
    window.area.show_view("graph")
    assert window.docks.all["inspector"].isVisible()


def test_a_workflow_opens_by_the_view_it_was_saved_in(form, window, tmp_path):
    opened = window.workspace.current
    assert not opened.modified
    save(opened.document, tmp_path / "mine.json")
    window.files.close(opened)
    window.files.open(tmp_path / "mine.json")
    assert window.area.shown == "form"


def test_inputs_come_onto_the_form_by_menu_and_by_dragging(qtbot, form, document, window):
    opened, menu = window.workspace.current, QMenu()
    add_form_entry(menu, window.workspace, opened, "guidance", "rescale")
    menu.actions()[0].trigger()
    assert form.entries.rows[-1].port == "rescale"
    drop(form.entries, "guidance.start", QPoint(10, 0))
    assert (form.entries.rows[0].port, document.form["guidance.start"]["section"]) == (
        "start",
        "Prompt",
    )
    drop(form.entries, "schedule.name", QPoint(10, 0))
    assert form.entries.rows[0].port == "name"
    window.area.show_view("graph")
    drop(window.area.view_switch.buttons["form"], "guidance.end", QPoint(3, 3))
    assert document.form["guidance.end"]["label"] == "End"
    menu = QMenu()
    add_form_entry(menu, window.workspace, opened, "guidance", "end")
    menu.actions()[0].trigger()
    assert "guidance.end" not in document.form


@pytest.mark.parametrize("key", ["gone.text", "prompt.nothing", "decode.latent", "decode.vae", "x"])
def test_what_has_no_value_to_set_is_refused_in_words(form, document, window, key):
    told: list[str] = []
    window.workspace.current.refused.connect(told.append)
    before = dict(document.form)
    drop(form.entries, key, QPoint(10, 0))
    assert document.form == before
    assert told


def test_the_only_input_of_a_node_can_be_removed_and_added_again(form, document, window):
    added = AddNodes([Node("values.integer")])
    document.perform(added)
    document.perform(AddToForm(added.paths[0], "value", "Number"))
    dialog = form.choose_entries()
    dialog.list.setCurrentRow(dialog.list.count() - 1)
    dialog.remove.click()
    dialog.add.menu().aboutToShow.emit()
    assert "Integer" in [action.text() for action in dialog.add.menu().actions()]
    dialog.reject()


def test_a_hidden_form_follows_the_document_once_it_is_shown(form, window):
    window.area.show_view("graph")
    window.workspace.current.perform(SetForm({"schedule.steps": {}}))
    window.area.show_view("form")
    assert [row.port for row in form.entries.rows] == ["steps"]


def test_a_linked_entry_says_where_its_value_comes_from(form, document, window):
    window.workspace.current.perform(SetForm({"decode.latent": {}, "schedule.steps": {}}))
    assert row(form, "decode.latent").source == Output("denoise", "latent")
    assert row(form, "schedule.steps").field is not None


def test_entries_of_nodes_that_are_gone_are_left_out(form, window):
    window.workspace.current.perform(SetForm({"gone.text": {}, "prompt.nothing": {}, "a": 3}))
    assert form.entries.rows == []
    assert EMPTY in [label.text() for label in form.findChildren(QLabel)]


def test_the_dialog_orders_groups_and_narrows(form, document):
    dialog = form.choose_entries()
    steps = [dialog.list.item(row).text() for row in range(dialog.list.count())].index("Steps")
    dialog.list.setCurrentRow(steps)
    dialog.up.click()
    dialog.section.setText("Speed")
    dialog.section.textEdited.emit("Speed")
    dialog.label.textEdited.emit("Prompt")
    dialog.accept()
    assert "label of another entry" in dialog.note.text()
    dialog.label.textEdited.emit("a=b")
    dialog.accept()
    assert "'='" in dialog.note.text()
    dialog.label.textEdited.emit("Number of steps")
    maximum = dialog.findChildren(NumberField)[-1]
    maximum.edited.emit(40, None)
    dialog.accept()
    record = document.form["schedule.steps"]
    assert (record["label"], record["section"]) == ("Number of steps", "Speed")
    assert record["maximum"] == 40
    field = row(form, "schedule.steps").field
    assert isinstance(field, NumberField)
    document.undo()
    assert document.form["schedule.steps"]["label"] == "Steps"


def test_what_was_removed_can_be_added_in_the_dialog(form, document):
    dialog = form.choose_entries()
    dialog.list.setCurrentRow(0)
    dialog.remove.click()
    dialog.add.menu().aboutToShow.emit()
    prompt = next(a.menu() for a in dialog.add.menu().actions() if a.text() == "Prompt")
    next(action for action in prompt.actions() if action.text() == "text").trigger()
    dialog.accept()
    assert form_sections(document.form)["Prompt"] == ["negative.text", "prompt.text"]


def test_the_wheel_over_a_menu_scrolls_the_form(form):
    for menu in form.entries.findChildren(QComboBox):
        before = menu.currentIndex()
        wheel(menu)
        assert menu.currentIndex() == before
        assert not menu.hasFocus()


def test_a_row_outlives_the_menu_that_takes_it_off(form, window):
    """Or its menu would return into what is deleted."""
    old = form.entries.rows[0]
    window.workspace.current.perform(RemoveFromForm(old.path, old.port))
    assert old not in form.entries.rows
    assert isValid(old)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(old)


def test_a_link_makes_the_row_anew(form, window, document):
    window.workspace.current.perform(Link(Output("model", "model"), Input("prompt", "text")))
    assert row(form, "prompt.text").field is None


def test_results_of_the_workflow_are_listed(qtbot, form, window, home):
    picture = home / "made.png"
    QImage(32, 32, QImage.Format.Format_RGB32).save(str(picture))
    window.results.add(picture, "text_to_image", {}, b"", "")
    window.results.add(home / "other.png", "another", {}, b"", "")
    window.area.list_results()
    assert [result.path for result in form.strip.all()] == [picture]
    form.strip.row_shown.emit(0)
    assert form.viewer.picture.path == picture
    told: list[object] = []
    form.command.connect(lambda name, pictures: told.append((name, len(pictures))))
    form.strip.select_row(0)
    form.strip.command.emit("copy")
    form.strip.command.emit("stars 3")
    assert told == [("copy", 1)]
