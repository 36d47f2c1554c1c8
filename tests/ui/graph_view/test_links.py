"""Reroutes by double-click, and the styles of links."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.graph_view.conftest import PLACES

from nodeforge.graph.document import Document, View
from nodeforge.graph.model import Input
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from support.graphs import text_to_image

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


@pytest.fixture
def shown(open_screen):
    document = Document(text_to_image(), view=View(positions=dict(PLACES)))
    return open_screen(document, Catalogue.shipped())


def middle(shown, end: Input) -> QPointF:
    return shown.view.session.scene.link_items[end].path().pointAtPercent(0.5)


@pytest.mark.parametrize(
    "end",
    [Input("save", "image"), Input("decode", "latent"), Input("denoise", "guidance")],
    ids=str,
)
@pytest.mark.parametrize("style", ["curved", "straight"])
def test_a_double_click_on_a_link_puts_a_reroute_there(shown, end, style):
    shown.view.set_link_style(style)
    before = shown.document.graph.links[end]
    place = middle(shown, end)
    shown.show(place)
    shown.double_click(place)
    links = shown.document.graph.links
    assert links[end].node == "reroute"
    assert links[Input("reroute", "value")] == before
    assert shown.view.selection() == ["reroute"]
    assert shown.node_item("reroute").body().contains(place)
    shown.check()
    assert shown.document.history.undo_name == "insert reroute"
    shown.document.undo()
    assert links[end] == before


def test_hidden_links_are_shown_at_what_is_hovered_or_selected(shown):
    shown.view.set_link_style("hidden")
    lines = shown.view.session.scene.link_items

    def seen() -> set[str]:
        return {str(end) for end, line in lines.items() if line.isVisible()}

    assert seen() == set()
    shown.show(shown.title("decode"))
    shown.move(shown.title("decode"), Qt.MouseButton.NoButton)
    shown.view.input_handler._hover(QPointF(shown.pixel(shown.title("decode"))))
    near = {"decode.latent", "decode.vae", "save.image"}
    assert seen() == near
    shown.click(shown.title("decode"))
    shown.view.input_handler._hover(QPointF(3, 3))
    assert seen() == near
    shown.view.select([])
    assert seen() == set()
    shown.view.set_link_style("curved")
    assert seen() == set(map(str, lines))


def test_the_style_is_in_the_view_menu_and_kept(window, open_window):
    window.files.open(TEXT_TO_IMAGE)
    view = window.area.view
    line = next(iter(view.session.scene.link_items.values()))
    assert line.path().length() > 0
    window.commands.run("view.links_straight")
    assert line.path().elementCount() == 2
    assert window.commands["view.links_straight"].isChecked()
    assert not window.commands["view.links_curved"].isChecked()
    window.files.open(shipped("workflows") / "compare_samplers.json")
    other = next(iter(window.area.view.session.scene.link_items.values()))
    assert other.path().elementCount() == 2
    window.workspace.store.setValue("graph/links", "knitted")
    assert window.area.link_style == "curved"


def test_reset_layout_brings_all_panels_back(window):
    """window 38: after random drags, panels stayed where they were for ever."""
    window.workspace.new()
    docks = window.docks.all
    docks["library"].hide()
    docks["problems"].setFloating(True)
    window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, docks["inspector"])
    window.resizeDocks([docks["viewer"]], [800], Qt.Orientation.Horizontal)
    window.commands.run("view.reset_layout")
    QTest.qWait(20)
    assert all(dock.isVisibleTo(window) for dock in docks.values())
    assert not any(dock.isFloating() for dock in docks.values())
    area = window.dockWidgetArea
    assert area(docks["library"]) == Qt.DockWidgetArea.LeftDockWidgetArea
    assert area(docks["inspector"]) == Qt.DockWidgetArea.RightDockWidgetArea
    assert docks["log"] in window.tabifiedDockWidgets(docks["gallery"])
    assert docks["library"].width() >= 180
    assert docks["viewer"].width() < 500


def test_broadcast_links_are_quiet_until_a_node_is_hovered_and_join_new_nodes(window):
    """Broadcasting from the node's command, with the library and the search adding nodes."""
    window.workspace.new()
    view = window.area.view
    for type_id in ("models.load", "text.encode", "latent.decode"):
        window.library.chosen.emit(type_id)
    view.select(["load"])
    window.commands.run("node.broadcast")
    lines = view.session.scene.link_items
    assert {str(end) for end in lines} == {"encode.text_encoder", "decode.vae"}
    line = lines[Input("decode", "vae")]
    assert line.pen().color().alpha() == 255  # the model is selected
    view.select([])
    assert line.pen().color().alpha() < 100
    assert "broadcast" in [badge for badge, _ in view.session.scene.node_items["load"].badges]
    window.library.chosen.emit("latent.encode")
    assert Input("encode_2", "vae") in lines
    view.node_search.open_at(QPointF(200, 300))
    QTest.keyClicks(QApplication.focusWidget(), "CLIPTextEncode")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert Input("encode_3", "text_encoder") in lines
    view.document.undo()
    assert "encode_3" not in view.document.graph.nodes
    view.select(["load"])
    window.commands.run("node.broadcast")
    view.select([])
    assert line.pen().color().alpha() == 255
