"""What nodes show: states, pictures, messages, at every distance, in both themes."""

import itertools

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QLabel

from nodeforge.graph.changes import ABSENT
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Move, SetMode, SetPorts, SetValue
from nodeforge.graph.model import Input, Mode, Node, Output
from nodeforge.lint import Severity
from nodeforge.ui.common import theme
from nodeforge.ui.documents.node_problems import NodeProblems
from nodeforge.ui.graph_view import NodeState
from nodeforge.ui.graph_view.interaction.tooltips import tooltip_text
from nodeforge.ui.graph_view.scene import run_display
from nodeforge.ui.graph_view.scene.auto_layout import layered_layout
from nodeforge.ui.graph_view.scene.hit_test import Hit
from nodeforge.ui.graph_view.view.graph_view import EMPTY
from nodeforge.ui.library.fuzzy_search import ranked
from support.graphs import boxes, graph

STATES = ["will_run", "cached", "on_disk", "running", "done", "error"]


def scene(width: int = 64, height: int = 64, colour: str = "#ff00ff") -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


@pytest.mark.parametrize("kind", STATES)
def test_every_state_has_an_icon_and_says_what_it_means(screen, kind):
    screen.view.show_states({"noise": NodeState(kind, seconds=1.25, message="No room.")})
    node_item = screen.node_item("noise")
    assert node_item.badges[0][0] == kind
    words = tooltip_text(Hit(node_item, None, QPointF(205, 14)), near=True)
    assert words.startswith(node_item.badge_tooltip(kind)[:4])
    screen.viewer.grab()


def test_a_failure_shows_its_message_and_goes_when_it_is_over(screen):
    high = screen.node_item("save").body().height()
    screen.view.show_states({"save": NodeState("error", message="The disk is full.")})
    assert screen.node_item("save").body().height() > high
    assert screen.node_item("save").texts.strip[1] == "The disk is full."
    screen.view.show_states({"save": NodeState("done", seconds=0.5)})
    assert screen.node_item("save").body().height() == high
    screen.check()


def test_problems_replace_those_before(screen):
    small, missing = (NodeProblems(text, Severity.WARNING) for text in ("Small.", "Not here."))
    screen.view.show_problems({"noise": small, "gone": missing})
    assert screen.node_item("noise").badges == [("problem", theme.DARK.warn)]
    screen.view.show_problems({"save": NodeProblems("No name.", Severity.WARNING)})
    assert screen.node_item("noise").badges == []
    assert screen.node_item("save").problem == "No name."


def test_what_a_run_said_is_there_again_after_an_undo(screen):
    screen.view.show_states({"noise": NodeState("cached")})
    screen.view.show_thumbnail("noise", scene())
    screen.view.select(["noise"])
    screen.view.delete_selected()
    screen.document.undo()
    assert screen.node_item("noise").state.kind == "cached"
    assert screen.node_item("noise").thumb is not None
    screen.check()


def test_a_picture_is_shown_whole_and_resized_at_its_corner(screen):
    screen.view.show_thumbnail("decode", scene(200, 100))
    x, y, width, height = screen.node_item("decode").layout.thumb
    assert width == pytest.approx(2 * height, rel=0.02)
    assert width <= 204
    screen.view.show_thumbnail("decode", scene(100, 200))
    x, y, width, height = screen.node_item("decode").layout.thumb
    assert height == pytest.approx(2 * width, rel=0.02)
    corner = screen.node_item("decode").pos() + QPointF(x + width - 3, y + height - 3)
    screen.drag(corner, corner + QPointF(0, 60))
    assert screen.node_item("decode").layout.thumb[3] == pytest.approx(height + 60, abs=1)
    assert not len(screen.document.history)
    screen.view.show_thumbnail("decode", None)
    assert screen.node_item("decode").layout.thumb is None
    screen.view.show_thumbnail("decode", QImage())
    assert screen.node_item("decode").thumb is None


@pytest.mark.parametrize("zoom", [0.05, 0.3, 0.4, 0.5, 1.0, 2.5])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_node_can_be_seen_at_every_distance(screen, zoom, name):
    colours = theme.THEMES[name]
    screen.view.set_theme(colours)
    screen.view.show_thumbnail("denoise", scene())
    screen.zoom(zoom)
    node_item = screen.node_item("denoise")
    screen.show(node_item.body().center())
    image = screen.viewer.viewport().grab().toImage()
    corner = node_item.body().center() - QPointF(105, 0)
    assert image.pixelColor(screen.pixel(corner)) != colours.window
    x, y, width, height = node_item.layout.thumb
    middle = image.pixelColor(
        screen.pixel(node_item.pos() + QPointF(x + width / 2, y + height / 2))
    )
    assert (middle == QColor("#ff00ff")) == (zoom >= 0.25)


def test_an_overview_follows_what_is_moved_and_chosen(screen):
    screen.zoom(0.2)
    node_item = screen.node_item("save")
    screen.show(node_item.body().center())
    screen.viewer.viewport().grab()
    old = screen.pixel(node_item.body().topLeft() + QPointF(60, 10))
    screen.document.perform(Move({"save": (1400, 600)}))
    QApplication.processEvents()
    image = screen.viewer.viewport().grab().toImage()
    new = screen.pixel(node_item.body().topLeft() + QPointF(60, 10))
    assert image.pixelColor(old) == theme.DARK.window
    assert image.pixelColor(new) != theme.DARK.window


def test_rows_follow_values_and_links(screen):
    rows = {row.port: row for row in screen.node_item("schedule").layout.rows}
    assert rows["steps"].text == "20"
    screen.document.perform(SetValue("schedule", "steps", 7))
    assert {r.port: r.text for r in screen.node_item("schedule").layout.rows}["steps"] == "7"
    screen.document.perform(SetValue("schedule", "steps", ABSENT))
    assert {r.port: r.text for r in screen.node_item("schedule").layout.rows}["steps"] == "20"
    path = screen.view.add_node("values.integer")
    screen.drag(
        screen.port(f"{path}.value", is_input=False), screen.port("schedule.steps", is_input=True)
    )
    assert {r.port: r.text for r in screen.node_item("schedule").layout.rows}["steps"] == "linked"


def test_a_type_that_no_pack_has_keeps_its_links_and_values(open_screen):
    whole = graph(
        {"a": Node("esrgan.upscale", {"factor": 4}), "b": "image.invert", "c": "image.save"},
        "b.image > a.picture",
        "a.result > c.image",
    )
    screen = open_screen(Document(whole))
    node_item = screen.node_item("a")
    assert node_item.layout.missing
    assert {(is_input, name) for is_input, name in node_item.port_items} == {
        (True, "picture"),
        (False, "result"),
    }
    assert node_item.badges[0][0] == "missing"
    screen.check()
    screen.view.grab()


def test_a_subgraph_shows_its_ports_and_values_inside(open_screen):
    screen = open_screen(boxes())
    assert {name for _, name in screen.node_item("box").port_items} == {"start", "more", "result"}
    screen.document.perform(SetValue("box/sum", "b", 5))
    assert {row.port: row.value for row in screen.node_item("box").layout.rows}["more"] == 5
    screen.document.perform(SetPorts("box", {}, {"result": Output("sum", "value")}))
    assert {name for _, name in screen.node_item("box").port_items} == {"result"}
    screen.check()


def test_links_of_muted_nodes_are_dashed(screen):
    line = next(line for line in screen.viewer.all_pipes() if str(line.end) == "denoise.noise")
    assert line.pen().style() is Qt.PenStyle.SolidLine
    screen.document.perform(SetMode(["noise"], Mode.MUTE))
    assert line.pen().style() is Qt.PenStyle.CustomDashLine


def test_the_graph_is_copied_as_png_and_svg(screen):
    image = screen.view.as_image()
    assert image.width() > 2 * 1600
    assert QSvgRenderer(screen.view.as_svg()).isValid()
    assert b"Denoise" in screen.view.as_svg() or b"<path" in screen.view.as_svg()
    screen.view.copy_as_picture()
    assert not QApplication.clipboard().image().isNull()


def test_an_empty_graph_can_be_looked_at_and_copied_too(empty):
    for call in (empty.view.zoom_all, empty.view.zoom_selection, empty.view.auto_layout):
        call()
    assert empty.view.as_image().width() > 0
    empty.view.grab()


def test_the_wheel_zooms_about_the_mouse(screen):
    place = QPointF(300, 200)
    before = screen.viewer.to_scene(place)
    event = QWheelEvent(
        place,
        QPointF(screen.viewer.viewport().mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(screen.viewer.viewport(), event)
    assert screen.viewer.zoom > 1.1
    after = screen.viewer.to_scene(place)
    assert (after - before).manhattanLength() < 2


def test_a_layout_never_overlaps_and_goes_from_left_to_right():
    sizes = {f"n{i}": (220.0, 60.0 + i % 5 * 40) for i in range(200)}
    links = [(f"n{i}", f"n{j}") for i in range(150) for j in (i + 1, i * 2) if i < j < 150]
    places = layered_layout(sizes, links)
    assert all(places[a][0] < places[b][0] for a, b in links)
    rects = [(*places[name], *sizes[name]) for name in sizes]
    assert not any(
        ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah
        for i, (ax, ay, aw, ah) in enumerate(rects)
        for bx, by, bw, bh in rects[:i]
    )


def test_a_layout_of_rings_and_of_a_long_chain_ends():
    ring = dict.fromkeys("abc", (10.0, 10.0))
    assert (
        layered_layout(ring, [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]).keys() == ring.keys()
    )
    chain = {f"n{i}": (10.0, 10.0) for i in range(5000)}
    places = layered_layout(chain, [(f"n{i}", f"n{i + 1}") for i in range(4999)])
    assert places["n4999"][0] > places["n0"][0]


@pytest.mark.parametrize(
    ("query", "first"),
    [("denoise", "Denoise"), ("dns", "Denoise"), ("mask", "Grow mask"), ("save im", "Save image")],
)
def test_a_few_letters_find_what_is_meant(query, first):
    names = ["Masked picture", "Denoise", "Grow mask", "Save image", "Load image", "Decode"]
    assert ranked(query, [(name, [(name, 1.0)]) for name in names])[0] == first
    assert ranked("xyzzy", [(name, [(name, 1.0)]) for name in names]) == []


def test_a_tick_stays_for_a_moment_and_fades_into_what_comes_next(screen, monkeypatch, qtbot):
    monkeypatch.setattr(run_display, "HOLD", 50)
    screen.view.show_states({"noise": NodeState("done")})
    screen.view.show_states({"noise": NodeState("cached")})
    node_item = screen.node_item("noise")
    assert node_item.state.kind == "done"
    qtbot.waitUntil(lambda: node_item.fade < 1.0)
    qtbot.waitUntil(lambda: node_item.state.kind == "cached")
    assert node_item.fade == 1.0
    screen.view.show_states({"noise": NodeState("done")})
    screen.view.show_states({"noise": NodeState("running", 0.5)})
    assert node_item.state.kind == "running"


def test_nodes_that_are_added_without_a_place_lie_on_no_other_and_are_seen(screen):
    for _ in range(6):
        path = screen.view.add_node("sampling.sampler")
        assert screen.viewer.visible_rect().contains(screen.node_item(path).body())
    bodies = [node_item.body() for node_item in screen.view.session.scene.node_items.values()]
    new = bodies[-6:]
    assert not [body for body in new if sum(body.intersects(other) for other in bodies) > 1]


def test_an_empty_graph_says_how_to_begin(qtbot, screen):
    label = next(each for each in screen.view.findChildren(QLabel) if each.text() == EMPTY)
    assert label.isHidden()
    screen.view.select_all()
    screen.view.delete_selected()
    assert not label.isHidden()
    screen.view.document.undo()
    assert label.isHidden()


def test_parts_without_links_between_them_are_set_side_by_side():
    """window 17: 30 independent graphs of 10 nodes became one tower of 5 columns."""
    sizes = {f"g{g}_{n}": (220.0, 100.0) for g in range(30) for n in range(10)}
    links = [(f"g{g}_{n}", f"g{g}_{n + 1}") for g in range(30) for n in range(9) if n % 3]
    places = layered_layout(sizes, links)
    width = max(x for x, _ in places.values()) + 220
    height = max(y for _, y in places.values()) + 100
    assert 0.5 < width / height < 3
    rects = [QRectF(*places[name], *sizes[name]) for name in sizes]
    pairs = itertools.combinations(rects, 2)
    assert not any(one.intersects(other) for one, other in pairs)


def test_a_layout_of_a_selection_leaves_all_else_and_one_node_alone_is_no_selection_to_lay_out(
    screen,
):
    before = {name: list(place) for name, place in screen.document.view.positions.items()}
    screen.view.select(["prompt", "denoise", "save"])
    screen.key(Qt.Key.Key_L)
    after = screen.document.view.positions
    assert {n for n in before if before[n] != after[n]} <= {"prompt", "denoise", "save"}
    screen.view.select(["prompt"])
    placed = {name: list(place) for name, place in after.items()}
    screen.key(Qt.Key.Key_L)
    assert screen.document.view.positions == placed
    assert screen.refused


def test_a_link_is_drawn_over_a_node_that_it_does_not_belong_to(screen):
    """window 6: behind a node, a link looks as if it were plugged into its ports."""
    line = screen.view.session.scene.link_items[Input("denoise", "model")]
    for node_item in screen.view.session.scene.node_items.values():
        node_item.setSelected(True)
        assert line.zValue() > node_item.zValue()
    place = line.path().pointAtPercent(0.5)
    crossed = screen.node_item("sampler")
    crossed.move_to(place.x() - 110, place.y() - 60)
    screen.show(place)
    picture = screen.view.session.viewer.viewport().grab().toImage()
    pixel = QPointF(screen.pixel(place)) * picture.devicePixelRatio()
    seen = [picture.pixelColor(pixel.toPoint() + QPoint(0, y)).lightness() for y in range(-3, 4)]
    assert max(seen) > 120
    assert min(seen) < 60
    assert screen.viewer.hit_test(screen.pixel(place)).item is crossed
