"""The inspector changes the document as a person expects, one undo step a gesture."""

from pathlib import Path

import pytest
import tiny_transformers
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QToolButton,
)

from nodeforge.graph.edits import Link, RemoveNodes, Rename, SetValue
from nodeforge.graph.model import Input, Node, Output
from nodeforge.lint import lint
from nodeforge.settings import shipped
from nodeforge.ui.fields.choice_field import ChoiceField
from nodeforge.ui.fields.clear_button import ClearButton
from nodeforge.ui.fields.model_field import ModelDialog
from nodeforge.ui.fields.number_field import NumberLineEdit
from nodeforge.ui.fields.text_field import reweighted
from nodeforge.ui.inspector.panel import EMPTY
from support.mouse import wheel

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


@pytest.fixture
def document(window):
    window.files.open(TEXT_TO_IMAGE)
    document = window.workspace.current.document
    document.node("schedule").values["steps"] = 20
    return document


def select(window, *paths: str) -> None:
    window.area.view.select(list(paths))


def face(window, path: str) -> dict[str, str]:
    """What the rows of a node say in the graph."""
    node_items = window.area.view.session.scene.node_items
    return {row.port: row.text for row in node_items[path].layout.rows}


def field(window, port: str, kind):
    return window.inspector.row(port).field.findChild(kind)


def type_in(qtbot, box, text: str) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_nothing_selected_says_what_appears_here(window):
    labels = [label.text() for label in window.inspector.findChildren(type(window.status.saved))]
    assert EMPTY in labels


def test_a_typed_sum_is_computed_and_kept_within_the_range(qtbot, window, document):
    select(window, "schedule")
    type_in(qtbot, field(window, "steps", NumberLineEdit), "10*2+5")
    assert document.node("schedule").values["steps"] == 25
    type_in(qtbot, field(window, "steps", NumberLineEdit), "-4")
    assert document.node("schedule").values["steps"] == 1


def test_what_is_no_number_changes_nothing(qtbot, window, document):
    select(window, "schedule")
    box = field(window, "steps", NumberLineEdit)
    type_in(qtbot, box, "many")
    assert document.node("schedule").values["steps"] == 20
    assert box.property("wrong")


@pytest.mark.parametrize(("port", "text", "kept"), [("steps", "99999", 1000), ("steps", "-4", 1)])
def test_a_number_out_of_its_range_is_cut_and_that_is_told(
    qtbot, window, document, port, text, kept
):
    """window 16: 99999 became 16384 without a word."""
    select(window, "schedule")
    type_in(qtbot, field(window, port, NumberLineEdit), text)
    assert document.node("schedule").values[port] == kept
    assert port in window.status.text
    assert text in window.status.text
    assert str(kept) in window.status.text


@pytest.mark.parametrize(
    ("node", "port"), [("noise", "width"), ("schedule", "steps"), ("noise", "seed")]
)
def test_a_good_number_takes_the_red_frame_away(qtbot, window, document, node, port):
    """window 15: after 'abc', 128*3 gave 384 in a red frame."""
    select(window, node)
    box = field(window, port, NumberLineEdit)
    box.resize(120, 30)
    plain, help_ = box.grab().toImage(), box.toolTip()
    type_in(qtbot, box, "abc")
    assert box.property("wrong")
    assert box.toolTip() != help_
    type_in(qtbot, box, "128*3")
    assert not box.property("wrong")
    assert box.toolTip() == help_
    box.clearFocus()
    corner = [image.pixelColor(0, 15).name() for image in (plain, box.grab().toImage())]
    assert corner[0] == corner[1]


def test_a_drag_on_a_slider_is_one_step_to_undo(qtbot, window, document):
    select(window, "schedule")
    slider = field(window, "strength", QSlider)
    before = document.node("schedule").values["strength"]
    slider.setSliderDown(True)
    for notch in (900, 700, 500):
        slider.setValue(notch)
    slider.setSliderDown(False)
    assert document.node("schedule").values["strength"] == pytest.approx(0.5, abs=0.01)
    document.undo()
    assert document.node("schedule").values["strength"] == before
    assert len(document.history) == 0


def test_the_wheel_changes_only_what_has_the_focus(qtbot, window, document):
    select(window, "schedule")
    window.library.search.setFocus()
    for kind, port in ((NumberLineEdit, "steps"), (QSlider, "strength"), (QComboBox, "name")):
        wheel(field(window, port, kind))
    assert len(document.history) == 0
    box = field(window, "steps", NumberLineEdit)
    window.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    wheel(box)
    assert document.node("schedule").values["steps"] == 21


def test_a_menu_sets_a_choice(qtbot, window, document):
    select(window, "sampler")
    menu = field(window, "name", QComboBox)
    menu.setFocus()
    qtbot.keyClicks(menu, "ddim")
    assert document.node("sampler").values["name"] == "ddim"


def test_typing_a_prompt_is_one_step_and_undo_leaves_the_cursor_in_the_text(
    qtbot, window, document
):
    select(window, "prompt")
    text = field(window, "text", QPlainTextEdit)
    text.setFocus()
    text.selectAll()
    qtbot.keyClicks(text, "a red heron")
    assert document.node("prompt").values["text"] == "a red heron"
    qtbot.keyClick(text, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert document.node("prompt").values["text"] == "a fox"
    assert text.toPlainText() == "a fox"


def test_ctrl_up_weighs_the_word_at_the_cursor(qtbot, window, document):
    select(window, "prompt")
    text = field(window, "text", QPlainTextEdit)
    text.moveCursor(text.textCursor().MoveOperation.End)
    for _ in range(2):
        qtbot.keyClick(text, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert document.node("prompt").values["text"] == "a (fox:1.2)"
    for _ in range(2):
        qtbot.keyClick(text, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert document.node("prompt").values["text"] == "a fox"


def test_weights_stay_between_0_and_10():
    assert reweighted("(fox:0.05)", -0.1) == "(fox:0)"
    assert reweighted("(fox:9.95)", 0.1) == "(fox:10)"
    assert reweighted("(a:b:1.5)", 0.1) == "(a:b:1.6)"


def test_only_plain_text_is_pasted(window, document):
    select(window, "prompt")
    text = field(window, "text", QPlainTextEdit)
    rich, file = QMimeData(), QMimeData()
    rich.setHtml("<b>an</b> owl")
    rich.setText("an owl")
    file.setUrls([QUrl.fromLocalFile("/etc/passwd")])
    text.selectAll()
    text.insertFromMimeData(rich)
    text.insertFromMimeData(file)
    assert document.node("prompt").values["text"] == "an owl"


def test_the_seed_is_drawn_and_counted_up(qtbot, window, document):
    select(window, "noise")
    buttons = window.inspector.row("seed").field.findChildren(QToolButton)
    draw, up = buttons[0], buttons[1]
    qtbot.mouseClick(up, Qt.MouseButton.LeftButton)
    assert document.node("noise").values["seed"] == 2
    qtbot.mouseClick(draw, Qt.MouseButton.LeftButton)
    assert document.node("noise").values["seed"] != 2
    document.undo()
    assert document.node("noise").values["seed"] == 2


def test_reset_takes_the_value_out_of_the_file(qtbot, window, document):
    select(window, "schedule")
    row = window.inspector.row("steps")
    document.perform(SetValue("schedule", "steps", 7))
    qtbot.mouseClick(row._reset, Qt.MouseButton.LeftButton)
    assert "steps" not in document.node("schedule").values


def test_several_nodes_of_one_type_are_changed_together(qtbot, window, document):
    select(window, "prompt", "negative")
    text = field(window, "text", QPlainTextEdit)
    assert text.placeholderText() == "several texts"
    text.setFocus()
    qtbot.keyClicks(text, "owl")
    assert {document.node(path).values["text"] for path in ("prompt", "negative")} == {"owl"}
    document.undo()
    assert document.node("prompt").values["text"] == "a fox"


def test_a_linked_input_leads_to_where_it_comes_from(qtbot, window, document):
    select(window, "decode")
    row = window.inspector.row("latent")
    button = row.findChild(QPushButton)
    assert button.text() == "Denoise · latent"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.workspace.current.selection == ["denoise"]


def test_a_picture_is_copied_to_the_assets_and_named_in_one_step(window, tmp_path, home):
    QImage(4, 4, QImage.Format.Format_RGB32).save(str(tmp_path / "cat.png"))
    window.workspace.new()
    window.library.chosen.emit("image.load")
    opened = window.workspace.current
    (name,) = opened.document.graph.nodes
    select(window, name)
    window.inspector.row("file").field.take(Path(tmp_path / "cat.png"))
    assert opened.document.node(name).values["file"] == "asset:cat.png"
    assert len(list((home / "assets").iterdir())) == 1
    opened.document.undo()
    assert not opened.document.assets
    assert "file" not in opened.document.node(name).values


def test_models_are_listed_by_name_and_searched(qtbot, window, home):
    folder = home / "models" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("one.safetensors", "two.safetensors"):
        (folder / name).write_bytes(b"no model")
    dialog = ModelDialog(window.workspace, "checkpoint", window)
    assert dialog._list.topLevelItemCount() >= 2
    qtbot.keyClicks(dialog._search, "two")
    shown = [dialog._list.topLevelItem(i) for i in range(dialog._list.topLevelItemCount())]
    assert [item.text(0) for item in shown if not item.isHidden()] == ["two.safetensors"]


def test_a_title_is_edited(qtbot, window, document):
    select(window, "decode")
    type_in(qtbot, window.inspector._title, "To pixels")
    assert document.node("decode").title == "To pixels"


def test_a_node_that_is_removed_leaves_the_inspector(window, document):
    select(window, "decode")
    window.area.view.delete_selected()
    assert not window.inspector._rows


def test_an_unknown_type_is_named(window, document):
    document.graph.nodes["odd"] = Node("future.thing", {"x": 1})
    window.inspector.show_nodes(window.workspace.current, ["odd"])
    labels = [label.text() for label in window.inspector.findChildren(type(window.status.saved))]
    assert any("No pack declares 'future.thing'" in text for text in labels)


@pytest.mark.parametrize("key", [None, Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_an_optional_model_is_taken_away_again(qtbot, window, key):
    window.workspace.new()
    window.library.chosen.emit("models.load_text_encoder")
    document = window.workspace.current.document
    (name,) = document.graph.nodes
    select(window, name)
    row = window.inspector.row("second")
    clear = row.field.findChild(ClearButton)
    assert clear.isHidden()
    document.perform(SetValue(name, "second", "clip_g.safetensors"))
    assert not clear.isHidden()
    if key is None:
        qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    else:
        row.field.editor().setFocus()
        qtbot.keyClick(row.field.editor(), key)
    assert document.node(name).values["second"] is None
    assert clear.isHidden()
    assert not [p for p in lint(document, window.workspace.catalogue) if p.port == "second"]
    document.undo()
    assert document.node(name).values["second"] == "clip_g.safetensors"


def test_a_needed_model_has_no_button_to_use_none(window, document):
    select(window, "model")
    assert window.inspector.row("file").field.findChild(ClearButton) is None


def test_no_text_is_no_number_where_that_is_allowed(qtbot, window, document):
    select(window, "denoise")
    box = field(window, "stop_at", NumberLineEdit)
    type_in(qtbot, box, "7")
    assert document.node("denoise").values["stop_at"] == 7
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Delete)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert document.node("denoise").values["stop_at"] is None
    assert not box.property("wrong")


def test_a_menu_says_what_people_call_its_choices_and_stores_their_names(qtbot):
    field = ChoiceField(["dpmpp_2m", "euler_a"], ["DPM++ 2M", "Euler a"])
    qtbot.addWidget(field)
    chosen = []
    field.edited.connect(lambda value, _: chosen.append(value))
    field.show_value("euler_a")
    menu = field.editor()
    assert menu.currentText() == "Euler a"
    qtbot.keyClicks(menu, "dpm")
    assert chosen == ["dpmpp_2m"]
    field.show_value("gone")
    assert menu.currentText() == "gone"
    field.show_value("euler_a")
    assert menu.count() == 2


def test_long_names_do_not_widen_the_inspector(window):
    long = "a_model_with_a_very_long_name_as_they_often_have_" * 3
    window.workspace.new()
    document = window.workspace.current.document
    for name in ("model", "style"):
        document.graph.nodes[name] = Node("models.load" if name == "model" else "models.load_lora")
    document.perform(Rename("model", long))
    document.perform(Link(Output("model", "model"), Input("style", "model")))
    document.perform(SetValue("style", "file", f"{long}.safetensors"))
    window.inspector.show_nodes(window.workspace.current, ["style"])
    QApplication.processEvents()
    content = window.inspector.widget()
    assert content.width() <= window.inspector.viewport().width()
    for port in ("model", "file"):
        button = window.inspector.row(port).findChild(QPushButton)
        assert long in button.text()
        right = button.mapTo(content, QPoint(button.width(), 0)).x()
        assert right <= content.width()


def test_what_is_left_to_the_model_is_said_in_fields_and_nodes(qtbot, window):
    window.files.open(TEXT_TO_IMAGE)
    document = window.workspace.current.document
    qtbot.waitUntil(lambda: face(window, "schedule")["steps"] == "auto: 20")
    assert face(window, "sampler")["name"] == "auto: DPM++ 2M"
    assert face(window, "guidance")["scale"] == "auto: 3"
    select(window, "schedule")
    box = field(window, "steps", NumberLineEdit)
    assert box.placeholderText() == "auto: 20"
    type_in(qtbot, box, "8")
    assert face(window, "schedule")["steps"] == "8"
    document.undo()
    document.perform(SetValue("model", "file", "no such model"))
    qtbot.waitUntil(lambda: face(window, "schedule")["steps"] == "auto")
    assert box.placeholderText() == "auto"


def test_a_model_s_variant_is_shown_with_what_told_it(qtbot, window):
    folder = window.workspace.settings.models / "checkpoints" / "z_image_turbo"
    tiny_transformers.PIPELINES["z_image"]().save_pretrained(folder)
    window.files.open(TEXT_TO_IMAGE)
    document = window.workspace.current.document
    assert "variant" in face(window, "model")
    document.perform(SetValue("model", "file", "z_image_turbo"))
    qtbot.waitUntil(lambda: face(window, "model")["variant"] == "auto: Turbo, by its name")
    assert face(window, "schedule")["steps"] == "auto: 8"
    select(window, "model")
    assert field(window, "variant", QComboBox).currentText() == "Auto: Turbo, by its name"
    document.perform(SetValue("model", "variant", "base"))
    qtbot.waitUntil(lambda: face(window, "schedule")["steps"] == "auto: 30")


def test_a_loop_says_what_it_takes_where_nothing_is_linked(qtbot, window):
    window.files.open(TEXT_TO_IMAGE)
    document = window.workspace.current.document
    document.perform(RemoveNodes(["sampler", "schedule", "guidance"]))
    node = window.area.view.session.scene.node_items["denoise"]

    def told() -> dict[str, str]:
        return {port.name: port.auto for port in node.layout.ports if port.auto}

    usual = {"sampler": "DPM++ 2M", "schedule": "Normal, 20 steps", "guidance": "3"}
    qtbot.waitUntil(lambda: told() == usual)
    assert "auto: DPM++ 2M" in [text for _, text in node.texts.dim]


def test_the_slider_of_guidance_is_as_long_as_what_is_of_use(qtbot, window, document):
    """Window C37: 5 to 10 was a tenth of the slider, which ran to 100; more can be typed."""
    select(window, "guidance")
    slider, values = field(window, "scale", QSlider), document.node("guidance").values
    slider.setValue(slider.maximum())
    assert values["scale"] == 20
    type_in(qtbot, field(window, "scale", NumberLineEdit), "45")
    assert values["scale"] == 45
    assert slider.value() == slider.maximum()


def test_a_new_node_starts_with_the_only_model_there_is(window):
    """Window C37: Load model was "not set" though there is one model."""
    window.workspace.new()
    for type_id, port in (("models.load", "file"), ("models.load_lora", "file")):
        window.library.chosen.emit(type_id)
        (node,) = window.area.view.selection()
        assert window.workspace.current.document.node(node).values[port].startswith("nano")
