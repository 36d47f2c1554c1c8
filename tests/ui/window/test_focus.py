"""The keyboard goes where the person clicked, in the real window."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from nodeforge.formats import write
from nodeforge.settings import shipped

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def graph(window):
    """The graph view of the shipped text-to-image workflow."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    window.activateWindow()
    QApplication.processEvents()
    return window.area.view


def place_of(view, name: str, port: str = "") -> QPoint:
    """Where a node's title, or a parameter's row, is in the viewport."""
    node_item = view.session.scene.node_items[name]
    offset = QPointF(90, 14)
    if port:
        row = next(row for row in node_item.layout.rows if row.port == port)
        offset = QPointF(150, row.y + row.height - 10)
    return view.session.viewer.viewportTransform().map(node_item.pos() + offset).toPoint()


def double_click(view, name: str, port: str = "") -> None:
    viewport, place = view.session.viewer.viewport(), place_of(view, name, port)
    QTest.mouseClick(viewport, LEFT, PLAIN, place)
    QTest.mouseDClick(viewport, LEFT, PLAIN, place)


def key(view, pressed: Qt.Key, modifiers=PLAIN) -> None:
    view.session.viewer.setFocus()
    QTest.keyClick(view.session.viewer, pressed, modifiers)


OPENERS = {
    "a prompt in its node": lambda view: double_click(view, "prompt", "text"),
    "a number in its node": lambda view: double_click(view, "schedule", "steps"),
    "a node's title": lambda view: double_click(view, "prompt"),
    "the search to add a node": lambda view: key(view, Qt.Key.Key_Tab),
    "the search to find a node": lambda view: key(
        view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier
    ),
}


@pytest.mark.parametrize("opener", OPENERS)
def test_what_is_typed_after_a_click_elsewhere_is_no_shortcut_of_the_graph(window, graph, opener):
    """window 2: closing an editor by a click must not give the keyboard to the graph."""
    document = window.workspace.current.document
    for field in (window.gallery.search, window.library.search, window.run_count.lineEdit()):
        OPENERS[opener](graph)
        editor = QApplication.focusWidget()
        assert graph.session.viewer.isAncestorOf(editor)
        QTest.keyClicks(editor, "a boat")
        QTest.mouseClick(field, LEFT, PLAIN, QPoint(20, field.height() // 2))
        focused = QApplication.focusWidget()
        assert focused is field or focused.focusProxy() is field or field.parent() is focused
        assert not editor.isVisible()
        before = write(document)
        QTest.keyClicks(focused, "castle")
        QTest.keyClick(focused, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(focused, Qt.Key.Key_Delete)
        assert write(document) == before


@pytest.mark.parametrize("pressed", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_an_editor_closed_by_a_key_gives_the_keyboard_back_to_the_graph(graph, pressed):
    for opener in ("a number in its node", "a node's title", "the search to add a node"):
        OPENERS[opener](graph)
        QTest.keyClick(QApplication.focusWidget(), pressed)
        assert QApplication.focusWidget() is graph.session.viewer


def test_a_click_on_a_button_without_focus_leaves_the_text_in_hand(window, graph):
    double_click(graph, "prompt", "text")
    editor = QApplication.focusWidget()
    QTest.mouseClick(window.findChild(QWidget, "button.edit.undo"), LEFT)
    assert QApplication.focusWidget() is editor


def regions_of(window) -> dict[str, QWidget]:
    docks = window.docks.all
    return {"graph": window.area} | {name: docks[name].widget() for name in docks}


def region(window) -> str:
    focused = QApplication.focusWidget()
    found = (n for n, w in regions_of(window).items() if w is focused or w.isAncestorOf(focused))
    return next(found, "")


def test_f6_walks_the_regions_and_shift_f6_walks_back(window, graph):
    """window 39: Tab is taken by the graph, F6 did nothing."""
    graph.select(["prompt"])
    graph.session.viewer.setFocus()
    walked = ["graph"]
    for pressed, modifiers in [(Qt.Key.Key_F6, PLAIN)] * 5:
        QTest.keyClick(QApplication.focusWidget(), pressed, modifiers)
        walked.append(region(window))
    assert walked == ["graph", "inspector", "viewer", "gallery", "library", "graph"]
    assert QApplication.focusWidget() is graph.session.viewer
    back = []
    for _ in range(5):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
        back.append(region(window))
    assert back == walked[-2::-1]
    window.docks.all["viewer"].hide()
    window.docks.show("log")
    walked = []
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
        walked.append(region(window))
    assert walked == ["inspector", "log", "library"]


def test_f6_leaves_an_editor_and_keeps_its_text(window, graph):
    double_click(graph, "prompt", "text")
    QTest.keyClicks(QApplication.focusWidget(), "a boat")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
    assert region(window) == "inspector"
    assert window.workspace.current.document.node("prompt").values["text"] == "a boat"


def test_f6_on_the_start_page_and_on_a_canvas(window, graph):
    window.area.show_view("canvas")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
    assert region(window) == "graph"  # all panels are hidden: it stays in the documents
