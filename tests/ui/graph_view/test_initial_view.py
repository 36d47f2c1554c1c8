"""What is seen of a workflow that has just been opened."""

import itertools

import pytest
from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QImage

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
