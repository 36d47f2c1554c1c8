"""Exposed parameters of subgraphs, and colours, by mouse and menus in the real window."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from nodeforge.graph.edits import Collapse, Expose, SetExposed
from nodeforge.settings import shipped
from nodeforge.ui.fields.number_field import NumberLineEdit
from nodeforge.ui.inspector.exposed_dialog import ExposedDialog

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"
DRAW = ["noise", "schedule", "guidance", "sampler"]
Left, Right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def view(window):
    """The first workflow, with noise, schedule, guidance and sampler as a subgraph."""
    window.files.open(TEXT_TO_IMAGE)
    window.workspace.current.perform(Collapse(DRAW, "Draw"))
    return window.area.view


def click(view, place: QPointF, button=Left) -> None:
    """Click a place of the scene, once it is in the middle of the view."""
    viewer = view.session.viewer
    viewer.zoom_by(1 / viewer.zoom)
    viewer.centerOn(place)
    pixel = viewer.viewportTransform().map(place).toPoint()
    QTest.mouseClick(viewer.viewport(), button, pos=pixel)


def row(view, path: str, port: str) -> QPointF:
    item = view.session.scene.node_items[path]
    found = next(row for row in item.layout.rows if row.port == port)
    return item.pos() + QPointF(150, found.y + 10)


def choose(*texts: str) -> None:
    """Choose from the open context menu."""
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    for text in texts:
        actions = {action.text(): action for action in menu.actions()}
        action = actions[text]
        menu = action.menu()
        if menu is None:
            action.trigger()
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.close()


def open_dialog(window) -> ExposedDialog:
    window.area.view.select(["draw"])
    button = next(
        each
        for each in window.inspector.findChildren(QPushButton)
        if each.text() == "Exposed parameters…"
    )
    QTest.mouseClick(button, Left)
    return window.findChildren(ExposedDialog)[-1]


def entry(window) -> dict:
    return window.workspace.current.document.node("draw").exposed


def test_a_parameter_is_exposed_by_its_menu_and_shown_outside(window, view):
    """window 11: a collapsed group showed no parameter, and nothing exposed one."""
    view.open("draw")
    click(view, row(view, "draw/schedule", "steps"), Right)
    choose("Expose “steps” on “Draw”")
    view.go_up()
    assert [each.port for each in view.session.scene.node_items["draw"].layout.rows] == ["steps"]
    view.select(["draw"])
    box = window.inspector.row("steps").field.findChild(NumberLineEdit)
    assert box.placeholderText().startswith("auto: ")  # it is left to the model inside
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "9")
    QTest.keyClick(box, Qt.Key.Key_Return)
    document = window.workspace.current.document
    assert document.node("draw").values == {"steps": 9}
    view.open("draw")
    click(view, row(view, "draw/schedule", "steps"), Right)
    choose("Stop exposing “steps” on “Draw”")
    assert document.node("draw").inputs == {}
    assert document.node("draw/schedule").values["steps"] == 9
    for _ in range(3):
        document.undo()
    assert document.node("draw").inputs == {}


def test_a_parameter_is_exposed_by_dragging_its_port_on_the_title_bar(window, view):
    view.open("draw")
    viewer = view.session.viewer
    item = view.session.scene.node_items["draw/noise"]
    place = item.port_item("seed", is_input=True).centre()
    viewer.centerOn(place)
    start = viewer.viewportTransform().map(place).toPoint()
    viewport = viewer.viewport()
    QTest.mousePress(viewport, Left, pos=start)
    end = start
    for _ in range(40):
        end.setY(end.y() - 30)
        QTest.mouseMove(viewport, end)
        if end.y() < -10:
            break
    QTest.mouseRelease(viewport, Left, pos=end)
    assert list(window.workspace.current.document.node("draw").inputs) == ["seed"]
    assert window.workspace.current.document.history.undo_name == "expose seed of noise"


def test_the_dialog_exposes_orders_labels_and_narrows_in_one_step(window, view):
    dialog = open_dialog(window)
    dialog._fill_menu()
    for node, port in (("Schedule", "steps"), ("Noise", "seed")):
        inner = next(a.menu() for a in dialog.add.menu().actions() if a.text() == node)
        next(a for a in inner.actions() if a.text() == port).trigger()
    QTest.mouseClick(dialog.up, Left)
    dialog.list.setCurrentRow(1)
    QTest.keyClicks(dialog.label, "Quality")
    QTest.keyClicks(dialog.help, "More steps take longer.")
    box = dialog._range[1].editor()
    QTest.keyClicks(box, "50")
    QTest.keyClick(box, Qt.Key.Key_Tab)
    box.editingFinished.emit()
    dialog.accept()
    assert entry(window) == {
        "seed": {"order": 0},
        "steps": {
            "order": 1,
            "label": "Quality",
            "help": "More steps take longer.",
            "maximum": 50,
        },
    }
    labels = [each.label for each in view.session.scene.node_items["draw"].layout.rows]
    assert labels == ["seed", "Quality"]
    assert window.inspector.row("steps").field._high == 50
    document = window.workspace.current.document
    document.undo()
    assert (document.node("draw").inputs, entry(window)) == ({}, {})
    document.redo()
    dialog = open_dialog(window)
    dialog.accept()
    assert document.history.undo_name == SetExposed("draw", {}).name
    dialog = open_dialog(window)
    QTest.mouseClick(dialog.remove, Left)
    dialog.accept()
    assert list(document.node("draw").inputs) == ["steps"]


def test_a_range_without_a_number_is_told_and_keeps_the_dialog_open(window, view):
    window.workspace.current.perform(Expose("draw/guidance", "scale"))
    dialog = open_dialog(window)
    for field, text in zip(dialog._range, ("8", "3"), strict=True):
        box = field.editor()
        QTest.keyClicks(box, text)
        box.editingFinished.emit()
    dialog.accept()
    assert dialog.isVisible()
    assert "no number is in the range" in dialog.note.text()
    assert entry(window) == {"scale": {"order": 0}}
    dialog.reject()


def test_two_ports_of_one_name_are_changed_apart_in_the_inspector(window, view):
    view.open("draw")
    for path in ("draw/sampler", "draw/schedule"):
        click(view, row(view, path, "name"), Right)
        choose("Expose “name” on “Draw”")
    view.go_up()
    view.select(["draw"])
    window.inspector.row("name_2")._edit("karras", [])
    assert window.workspace.current.document.node("draw").values == {"name_2": "karras"}


def test_nodes_are_coloured_from_their_menu_and_back(window, view):
    """window 11: nothing called the colour command."""
    item = view.session.scene.node_items["prompt"]
    click(view, item.body().topLeft() + QPointF(90, 14), Right)
    choose("Colour", "Teal")
    colours = window.workspace.current.document.view.colours
    assert colours == {"prompt": "#3f9c9c"}
    assert view.session.scene.node_items["prompt"].colour == "#3f9c9c"
    click(view, item.body().topLeft() + QPointF(90, 14), Right)
    choose("Colour", "Default")
    assert colours == {}


def test_a_backdrop_has_a_menu_of_its_own(window, view):
    """window 11: a right click on a backdrop gave the empty graph's menu."""
    document = window.workspace.current.document
    view.select(["prompt"])
    key = view.backdrop("Words")
    item = view.session.scene.frame_items["backdrops", key]
    place = item.body().topLeft() + QPointF(60, 14)
    click(view, place, Right)
    choose("Colour", "Green")
    assert document.view.backdrops[key]["colour"] == "#5f9f5a"
    click(view, place, Right)
    choose("Rename")
    QTest.keyClicks(QApplication.focusWidget(), "Prompts")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert document.view.backdrops[key]["title"] == "Prompts"
    click(view, place, Right)
    choose("Delete backdrop")
    assert document.view.backdrops == {}
    assert document.node("prompt")


def test_the_menu_in_the_empty_body_of_a_backdrop_is_the_backdrop_s(window, view):
    document = window.workspace.current.document
    view.select(["prompt"])
    key = view.backdrop("Words")
    item = view.session.scene.frame_items["backdrops", key]
    click(view, item.body().topLeft() + QPointF(8, 40), Right)
    choose("Delete backdrop")
    assert document.view.backdrops == {}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("draw", {"Unpack subgraph", "Keep in library", "Exposed parameters…"}),
        ("model", {"Broadcast outputs"}),
        ("prompt", set()),
    ],
)
def test_a_node_s_menu_shows_what_makes_sense_for_it(window, view, path, shown):
    item = view.session.scene.node_items[path]
    click(view, item.body().topLeft() + QPointF(90, 14), Right)
    menu = QApplication.activePopupWidget()
    texts = {action.text() for action in menu.actions()}
    menu.close()
    special = {"Unpack subgraph", "Keep in library", "Exposed parameters…", "Broadcast outputs"}
    assert texts & special == shown
    assert {"Rename", "Colour", "Convert to subgraph", "Delete"} <= texts
