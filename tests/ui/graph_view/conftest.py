"""A graph view on a document, and a mouse and keyboard to use it."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nodeforge.graph.document import Document, View
from nodeforge.graph.model import Graph
from nodeforge.graph.paths import inside, join, within
from nodeforge.ui.common import theme
from nodeforge.ui.graph_view import NODE_MIME, GraphView
from support.graphs import text_to_image
from support.small_catalogue import CATALOGUE

PLAIN = Qt.KeyboardModifier.NoModifier

PLACES = {
    "model": [0, 0],
    "prompt": [280, 0],
    "negative": [280, 240],
    "noise": [280, 440],
    "sampler": [560, 0],
    "schedule": [560, 140],
    "guidance": [560, 300],
    "denoise": [840, 0],
    "decode": [1120, 0],
    "save": [1400, 0],
}


class Screen:
    """A shown view, with what a user does to it. Places are in the scene."""

    def __init__(self, view: GraphView) -> None:
        self.view = view
        self.document = view.document
        self.refused: list[str] = []
        view.refused.connect(self.refused.append)
        self.zoom(1.0)

    def zoom(self, zoom: float) -> None:
        viewer = self.view.session.viewer
        viewer.zoom_by(zoom / viewer.zoom)

    @property
    def viewer(self):
        return self.view.session.viewer

    def node_item(self, name: str):
        return self.view.session.scene.node_items[name]

    def show(self, *places: QPointF) -> None:
        """Scroll to the middle of these places."""
        middle = sum(places, QPointF()) / len(places)
        self.viewer.centerOn(middle)
        QApplication.processEvents()

    def pixel(self, place: QPointF) -> QPoint:
        return self.viewer.viewportTransform().map(place).toPoint()

    def port(self, address: str, *, is_input: bool) -> QPointF:
        node, _, port = address.partition(".")
        return self.node_item(node).port_item(port, is_input=is_input).centre()

    def title(self, name: str) -> QPointF:
        return self.node_item(name).body().topLeft() + QPointF(90, 14)

    def row(self, address: str) -> QPointF:
        node, _, port = address.partition(".")
        node_item = self.node_item(node)
        row = next(row for row in node_item.layout.rows if row.port == port)
        return node_item.pos() + QPointF(150, row.y + row.height - 10)

    def press(self, place: QPointF, button=Qt.MouseButton.LeftButton, keys=PLAIN):
        QTest.mousePress(self.viewer.viewport(), button, keys, self.pixel(place))

    def move(self, place: QPointF, button=Qt.MouseButton.LeftButton, keys=PLAIN):
        viewport, pixel = self.viewer.viewport(), self.pixel(place)
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(pixel),
            QPointF(viewport.mapToGlobal(pixel)),
            Qt.MouseButton.NoButton,
            button,
            keys,
        )
        QApplication.sendEvent(viewport, event)

    def release(self, place: QPointF, button=Qt.MouseButton.LeftButton, keys=PLAIN):
        QTest.mouseRelease(self.viewer.viewport(), button, keys, self.pixel(place))

    def click(self, place: QPointF, button=Qt.MouseButton.LeftButton, keys=PLAIN):
        self.press(place, button, keys)
        self.release(place, button, keys)

    def double_click(self, place: QPointF) -> None:
        self.click(place)
        QTest.mouseDClick(
            self.viewer.viewport(),
            Qt.MouseButton.LeftButton,
            PLAIN,
            self.pixel(place),
        )

    def drag(
        self,
        start: QPointF,
        end: QPointF,
        button=Qt.MouseButton.LeftButton,
        keys=PLAIN,
        *,
        release: bool = True,
    ) -> None:
        self.show(start, end)
        self.press(start, button, keys)
        for step in range(1, 6):
            self.move(start + (end - start) * step / 5, button, keys)
        if release:
            self.release(end, button, keys)

    def drop(self, type_id: str, place: QPointF) -> bool:
        """Drag a node type from the library to a place."""
        mime = QMimeData()
        mime.setData(NODE_MIME, type_id.encode())
        pixel = QPointF(self.pixel(place))
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        enter = QDragEnterEvent(pixel.toPoint(), copy, mime, left, PLAIN)
        QApplication.sendEvent(self.viewer.viewport(), enter)
        event = QDropEvent(pixel, copy, mime, left, PLAIN)
        QApplication.sendEvent(self.viewer.viewport(), event)
        return enter.isAccepted() and event.isAccepted()

    def key(self, key, keys=PLAIN) -> None:
        QTest.keyClick(self.viewer, key, keys)

    def type(self, text: str) -> None:
        QTest.keyClicks(QApplication.focusWidget(), text)

    def enter(self, keys=PLAIN) -> None:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return, keys)

    @property
    def links(self) -> dict[str, str]:
        return {str(end): str(start) for end, start in self.document.graph.links.items()}

    def check(self) -> None:
        """The picture is the document."""
        agree(self.view)


def agree(view: GraphView) -> None:
    """NodeGraphQt shows the nodes, links and places of the document, and nothing else."""
    from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem

    from nodeforge.ui.graph_view.items.node_item import NodeItem

    document, path, viewer = view.document, view.path, view.session.viewer
    graph = document.group(path)
    nodes = {item.path: item for item in viewer.all_nodes() if isinstance(item, NodeItem)}
    assert set(nodes) == {join(path, name) for name in graph.nodes}
    lines = {(line.end, line.start) for line in viewer.all_pipes()}
    assert lines == {
        (inside(path, end), within(path, start))
        for end, start in graph.links.items()
        if end.node in graph.nodes and start.node in graph.nodes
    }
    for line in viewer.all_pipes():
        assert line.input_port.node_item is nodes[line.end.node]
        assert line.output_port.node_item is nodes[line.start.node]
        assert line.input_port.layout.name == line.end.port
        assert line.output_port.layout.name == line.start.port
    for name, place in document.view.positions.items():
        if name in nodes:
            assert [nodes[name].pos().x(), nodes[name].pos().y()] == place
    for name, item in nodes.items():
        node = document.node(name)
        assert item.layout.mode is node.mode
        assert item.layout.collapsed == bool(document.view.collapsed.get(name))
        assert not node.title or item.layout.title == node.title
        for row in item.layout.rows:
            if row.port in node.values:
                assert row.value == node.values[row.port]
    frames = {item.path for item in viewer.all_nodes() if isinstance(item, AbstractNodeItem)}
    tables = [*document.view.backdrops, *document.view.notes]
    assert frames - set(nodes) == {key for key in tables if key.rpartition("/")[0] == path}
    assert viewer.qaction_for_undo() is None


@pytest.fixture
def screen(qtbot):
    return open_view(qtbot, Document(text_to_image(), view=View(positions=dict(PLACES))))


@pytest.fixture
def empty(qtbot):
    return open_view(qtbot, Document(Graph()))


@pytest.fixture
def open_screen(qtbot):
    """Shows any document."""
    return lambda document, catalogue=CATALOGUE: open_view(qtbot, document, catalogue)


def open_view(qtbot, document: Document, catalogue=CATALOGUE) -> Screen:
    theme.apply(QApplication.instance(), theme.DARK)
    view = GraphView(document, catalogue, theme.DARK)
    qtbot.addWidget(view, before_close_func=lambda closed: closed.session.close())
    view.resize(1200, 800)
    view.show()
    qtbot.waitExposed(view)
    QApplication.processEvents()
    view.activateWindow()
    view.session.viewer.setFocus()
    return Screen(view)
