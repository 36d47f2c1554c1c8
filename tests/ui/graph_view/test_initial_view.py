"""What is seen of a workflow that has just been opened."""

import itertools

import pytest
from PySide6.QtCore import QRectF, QSizeF

from nodeforge.formats import load
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
    bodies = [box.body() for box in view.session.scene.node_items.values()]
    assert not [pair for pair in itertools.combinations(bodies, 2) if pair[0].intersects(pair[1])]
    view.deleteLater()


def test_what_is_small_is_shown_whole(qapp):
    look = initial_view([QRectF(0, 0, 50, 50)], QRectF(0, 0, 50, 50), QSizeF(100, 80))
    assert look == QRectF(-25, -15, 100, 80)


def test_a_tall_start_is_shown_where_most_nodes_lie():
    alone, crowd = QRectF(0, 0, 50, 50), [QRectF(0, 500 + 60 * i, 50, 50) for i in range(4)]
    bodies = [alone, *crowd, QRectF(400, 0, 50, 50)]
    look = initial_view(bodies, bounding_rect(bodies), QSizeF(300, 240))
    assert (look.left(), look.top()) == (0, 490)
    assert all(map(look.contains, crowd))
