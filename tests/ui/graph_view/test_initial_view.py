"""What is seen of a workflow that has just been opened."""

import itertools

import pytest
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from nodeforge.formats import load
from nodeforge.graph.ports import picture_port
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.common import theme
from nodeforge.ui.graph_view import GraphView
from nodeforge.ui.graph_view.scene.graph_viewer import READABLE
from nodeforge.ui.graph_view.scene.overview import bounding_rect, initial_view

EXAMPLES = sorted(shipped("workflows").glob("*.json"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_opens_so_that_its_start_can_be_read(qapp, file):
    view = GraphView(load(file), Catalogue.shipped(), theme.DARK)
    view.resize(896, 536)
    view.show()
    view.zoom_start()
    viewer, boxes = view.session.viewer, view.session.scene.node_items.values()
    assert viewer.zoom >= READABLE
    seen = [box for box in boxes if viewer.visible_rect().contains(box.body())]
    assert len(seen) >= min(len(boxes), 5)
    assert min(boxes, key=lambda box: box.pos().x()).pos().x() >= viewer.visible_rect().left()
    view.deleteLater()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_no_nodes_of_an_example_lie_on_each_other(qapp, file):
    view = GraphView(load(file), Catalogue.shipped(), theme.DARK)
    assert overlapping(view) == []
    view.deleteLater()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_no_nodes_of_an_example_lie_on_each_other_once_all_show_a_picture(qapp, file):
    """window 5: a run makes nodes grow; their room is reserved."""
    view = GraphView(load(file), Catalogue.shipped(), theme.DARK)
    show_pictures(view)
    assert overlapping(view) == []
    view.auto_layout()
    assert overlapping(view) == []
    view.deleteLater()


def show_pictures(view: GraphView) -> None:
    picture = QImage(256, 512, QImage.Format.Format_RGB32)
    for path in list(view.session.scene.node_items):
        if picture_port(view.document.node(path), view.session.catalogue):
            view.show_thumbnail(path, picture)


def overlapping(view: GraphView) -> list[tuple[str, str]]:
    pairs = itertools.combinations(view.session.scene.node_items.values(), 2)
    return [(a.path, b.path) for a, b in pairs if a.body().intersects(b.body())]


def test_what_is_small_is_shown_whole(qapp):
    look = initial_view([QRectF(0, 0, 50, 50)], QRectF(0, 0, 50, 50), QSizeF(100, 80))
    assert look == QRectF(-25, -15, 100, 80)


def test_a_tall_start_is_shown_where_most_nodes_lie():
    alone, crowd = QRectF(0, 0, 50, 50), [QRectF(0, 500 + 60 * i, 50, 50) for i in range(4)]
    bodies = [alone, *crowd, QRectF(400, 0, 50, 50)]
    look = initial_view(bodies, bounding_rect(bodies), QSizeF(300, 240))
    assert (look.left(), look.top()) == (0, 490)
    assert all(map(look.contains, crowd))


def look(view: GraphView) -> tuple[float, QRectF]:
    return view.session.viewer.zoom, view.session.viewer.visible_rect()


@pytest.mark.parametrize("size", [(1100, 760), (1900, 1040)])
def test_a_view_that_was_not_touched_is_fitted_when_the_window_is_maximised(qtbot, window, size):
    """window 19: maximising the window did not fit what had been opened."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    view = window.area.view
    qtbot.wait(400)
    window.resize(*size)
    qtbot.wait(20)
    fitted = look(view)
    view.zoom_start()
    assert look(view) == fitted


@pytest.mark.parametrize("touch", ["click", "pan", "zoom"])
def test_a_view_that_was_touched_stays_when_the_window_is_resized(qtbot, window, touch):
    window.files.open(shipped("workflows") / "text_to_image.json")
    viewer = window.area.view.session.viewer
    qtbot.wait(20)
    match touch:
        case "click":
            QTest.mouseClick(viewer.viewport(), Qt.MouseButton.LeftButton)
        case "pan":
            viewer.pan_by(QPointF(0, 30))
        case "zoom":
            viewer.zoom_by(0.8)
    zoom, seen = look(window.area.view)
    window.resize(1900, 1040)
    qtbot.wait(20)
    assert look(window.area.view)[0] == zoom
    assert look(window.area.view)[1].topLeft() == seen.topLeft()


def test_a_workflow_of_a_picture_is_opened_whole(qtbot, window, tmp_path):
    """window 19: a picture's workflow was opened on its lower left corner."""
    window.files.open(shipped("workflows") / "compare_samplers.json")
    qtbot.wait(20)
    window.area.view.session.viewer.pan_by(QPointF(900, -400))
    copy = tmp_path / "again.json"
    copy.write_bytes((shipped("workflows") / "controlnet_edges.json").read_bytes())
    window.files.open(copy)
    qtbot.wait(20)
    fitted = look(window.area.view)
    window.area.view.zoom_start()
    assert look(window.area.view) == fitted


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_prompt_is_in_sight_on_a_small_screen(qapp, file):
    """window 12: on 1366x768 the prompt was out of view, so that one did not see what to change."""
    view = GraphView(load(file), Catalogue.shipped(), theme.DARK)
    view.resize(824, 404)
    view.show()
    view.zoom_start()
    boxes = view.session.scene.node_items.values()
    prompts = [box for box in boxes if any(row.long for row in box.layout.rows)]
    seen = [box for box in prompts if view.session.viewer.visible_rect().contains(box.body())]
    assert len(seen) >= min(len(prompts), 2)
    view.deleteLater()
