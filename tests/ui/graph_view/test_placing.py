"""Where new, pasted and inserted nodes come to lie, and what makes way for them."""

import itertools

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nodeforge.graph.document import Document, View
from support.graphs import graph

CTRL = Qt.KeyboardModifier.ControlModifier


def chain(gap: int) -> Document:
    """Three nodes in a row, a node between and below them, and backdrops behind two."""
    whole = graph(
        {"a": "image.load", "b": "image.invert", "c": "image.save", "free": "image.invert"},
        "a.image > b.image",
        "b.image > c.image",
    )
    step = 220 + gap
    places = {"a": [0, 0], "b": [step, 0], "c": [2 * step, 0], "free": [step, 300]}
    backdrops = {"backdrop:1": {"rect": [2 * step - 20, -40, 280, 400]}}
    return Document(whole, view=View(positions=places, backdrops=backdrops))


def overlapping(screen) -> list[tuple[str, str]]:
    pairs = itertools.combinations(screen.view.session.scene.node_items.values(), 2)
    return [(a.path, b.path) for a, b in pairs if a.room().intersects(b.room())]


@pytest.mark.parametrize("gap", [20, 80, 200, 400])
@pytest.mark.parametrize("end", ["b.image", "c.image"])
def test_what_is_put_into_a_link_pushes_its_neighbours_aside(open_screen, gap, end):
    """window 36: a node dropped on a link lay over its neighbours."""
    screen = open_screen(chain(gap))
    before = {name: list(place) for name, place in screen.document.view.positions.items()}
    line = next(l for l in screen.view.session.scene.link_items.values() if str(l.end) == end)
    place = line.path().pointAtPercent(0.5)
    screen.show(place)
    assert screen.drop("image.invert", place)
    assert screen.links[end] == "invert.image"
    assert overlapping(screen) == []
    assert screen.node_item("a").pos() == QPointF(*before["a"])
    screen.check()
    screen.document.undo()
    assert screen.document.view.positions == before
    screen.document.redo()
    screen.drag(
        screen.title("free"),
        screen.view.session.scene.link_items[
            next(e for e in screen.view.session.scene.link_items if str(e) == "invert.image")
        ]
        .path()
        .pointAtPercent(0.5),
    )
    assert screen.links["invert.image"] == "free.image"
    assert overlapping(screen) == []
    frame = next(iter(screen.view.session.scene.frame_items.values()))
    assert frame.body().contains(screen.node_item("c").body())
    screen.check()


@pytest.mark.parametrize("corner", [(1195, 795), (1195, 5), (5, 795), (1110, 730), (600, 790)])
@pytest.mark.parametrize("zoom", [1.0, 0.5])
def test_a_new_node_is_seen_whole_and_not_under_the_minimap(empty, corner, zoom):
    """window 36: pasted and new nodes lay under the minimap or half out of view."""
    empty.zoom(zoom)
    QTest.mouseMove(empty.viewer.viewport())
    empty.view.input_handler.last_position = QPointF(*corner)
    empty.key(Qt.Key.Key_Tab)
    empty.type("load image")
    empty.enter()
    assert seen(empty, "load")
    empty.key(Qt.Key.Key_C, CTRL)
    empty.view.input_handler.last_position = QPointF(*corner)
    empty.key(Qt.Key.Key_V, CTRL)
    assert seen(empty, "load_2")
    empty.drop("image.save", empty.viewer.to_scene(QPointF(*corner)))
    assert seen(empty, "save")


def seen(screen, name: str) -> bool:
    QApplication.processEvents()
    room = screen.viewer.viewportTransform().mapRect(screen.node_item(name).room())
    minimap = screen.view.minimap
    assert minimap.isVisible()
    inside = QRectF(screen.viewer.viewport().rect()).contains(room)
    return inside and not room.intersects(QRectF(minimap.geometry()))


def test_what_is_larger_than_the_view_shows_its_upper_left_corner(screen):
    screen.view.resize(500, 400)
    screen.key(Qt.Key.Key_A, CTRL)
    screen.key(Qt.Key.Key_C, CTRL)
    screen.view.input_handler.last_position = QPointF(490, 390)
    pasted = screen.view.paste()
    bodies = [screen.node_item(name).body() for name in pasted]
    corner = QPointF(min(b.left() for b in bodies), min(b.top() for b in bodies))
    assert screen.viewer.viewport().rect().contains(screen.pixel(corner))
