"""Two pictures compared on a node and in the viewer, divided at the mouse."""

from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent
from PySide6.QtWidgets import QApplication

from nodeforge.engine.content.assets import keep_picture
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.ui.documents.open_document import OpenDocument
from support.processes import ForkedWorker
from tests.ui.running.test_runner import run

RED, BLUE = QColor(200, 30, 30), QColor(30, 30, 200)
LONG = 240_000


def compared(settings, folder: Path) -> OpenDocument:
    document = Document()
    graph = document.graph
    for name, colour in (("before", RED), ("after", BLUE)):
        image = QImage(64, 48, QImage.Format.Format_RGB32)
        image.fill(colour)
        path = folder / f"{name}.png"
        image.save(str(path))
        document.assets[path.name] = keep_picture(path, settings)
        graph.nodes[name] = Node("image.load", {"file": f"asset:{path.name}"})
        graph.links[Input("compare", name)] = Output(name, "image")
    graph.nodes["compare"] = Node("image.compare")
    return OpenDocument(document, name="compared")


def point(widget, place: QPointF) -> None:
    nothing = Qt.MouseButton.NoButton
    at = widget.mapToGlobal(place)
    keys = Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, place, at, nothing, nothing, keys)
    QApplication.sendEvent(widget, move)


def colour_at(image: QImage, place: QPointF) -> QColor:
    return image.pixelColor(place.toPoint() * image.devicePixelRatio())


def test_a_run_shows_both_pictures_divided_at_the_mouse(qtbot, open_window, tmp_path: Path):
    window = open_window(ForkedWorker)
    opened = compared(window.workspace.settings, tmp_path)
    window.workspace.add(opened)
    run(qtbot, window)
    qtbot.waitUntil(lambda: "compare" in opened.beside and "compare" in opened.pictures)
    view = window.area.view
    view.select(["compare"])
    view.zoom_selection()
    node_item = view.session.scene.node_items["compare"]
    assert node_item.beside is not None
    viewport = view.session.viewer.viewport()
    rect = QRectF(*node_item.layout.thumb).translated(node_item.pos())
    for share in (0.25, 0.75):
        at = QPointF(rect.left() + share * rect.width(), rect.center().y())
        point(viewport, QPointF(view.session.viewer.mapFromScene(at)))
        assert abs(node_item.split - share) < 0.02
        shown = viewport.grab().toImage()
        for place, colour in ((share - 0.15, RED), (share + 0.15, BLUE)):
            at = QPointF(rect.left() + place * rect.width(), rect.center().y())
            assert colour_at(shown, QPointF(view.session.viewer.mapFromScene(at))) == colour

    pictures = window.docks.all["viewer"].widget().picture_view
    qtbot.waitUntil(lambda: not pictures.beside.isNull(), timeout=LONG)
    window.docks.show("viewer")
    box = pictures._box()
    point(pictures, QPointF(box.left() + 0.5 * box.width(), box.center().y()))
    shown = pictures.grab().toImage()
    assert colour_at(shown, QPointF(box.left() + 0.25 * box.width(), box.center().y())) == RED
    assert colour_at(shown, QPointF(box.left() + 0.75 * box.width(), box.center().y())) == BLUE
    view.select(["before"])  # another picture has nothing beside it
    qtbot.waitUntil(lambda: pictures.beside.isNull())
