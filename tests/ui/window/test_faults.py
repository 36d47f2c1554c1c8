"""Faults A and B that were seen in the real window, each as the person met it there.

The others of A and B are with their subjects: 1 locales, 2 focus, 3 painting, 4 file commands,
7 seeds, 9 and 10 picture menu, 11 exposing, 12 room, 14 and 22 runner, 15 and 16 inspector,
20 generation, 21 picture files.
"""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui.graph_view.test_initial_view import look, overlapping, show_pictures

from nodeforge.engine.events import Progress
from nodeforge.engine.running.context import RunRequest
from nodeforge.formats import load, stamp
from nodeforge.graph.model import Input, Node, Output
from nodeforge.imaging import PictureFormat, encode
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.project_files import project_of
from nodeforge.ui.running.job_queue import Job
from support.canvas_driver import driver_in, white
from support.windows import active_run

LEFT = Qt.MouseButton.LeftButton
WORKFLOWS = shipped("workflows")


def picture(folder: Path, name: str, document) -> tuple[Path, dict[str, str]]:
    """A saved picture that carries its workflow."""
    import numpy as np

    texts = stamp(document, Catalogue.shipped())
    file = folder / name
    file.write_bytes(encode(np.full((16, 16, 3), 80, np.uint8), PictureFormat.PNG, texts))
    return file, texts


@pytest.mark.parametrize("name", ["compare_samplers", "controlnet_edges"])
def test_nodes_of_an_example_that_ran_lie_beside_each_other(window, name):
    """Window B5: four Denoise and four VAE decode lay over one another, a node vanished."""
    window.files.open(WORKFLOWS / f"{name}.json")
    view = window.area.view
    show_pictures(view)
    assert overlapping(view) == []
    QTest.keyClick(view.session.viewer, Qt.Key.Key_L)
    assert overlapping(view) == []


def test_links_of_the_first_workflow_are_seen_over_nodes_they_do_not_belong_to(window):
    """Window B6: those of Load model looked plugged into width and batch of Noise."""
    window.files.open(WORKFLOWS / "text_to_image.json")
    scene = window.area.view.session.scene
    for end in (Input("denoise", "model"), Input("decode", "vae")):
        line = scene.link_items[end]
        crossed = [
            item
            for name, item in scene.node_items.items()
            if name not in ("model", end.node) and line.collidesWithItem(item)
        ]
        assert all(line.zValue() > item.zValue() for item in crossed)


def test_a_picture_of_two_prompts_is_found_by_the_second(qtbot, window, tmp_path: Path):
    """Window B8: "a green car" had the caption "a red car", and a search did not find it."""
    document = load(WORKFLOWS / "text_to_image.json")
    graph = document.graph
    document.node("prompt").values["text"] = "a red car"
    document.node("schedule").values["steps"] = 20
    graph.nodes["change"] = Node("text.change_at_step", {"text": "a green car", "step": 9})
    graph.links[Input("change", "conditioning")] = Output("prompt", "conditioning")
    graph.links[Input("change", "text_encoder")] = Output("model", "text_encoder")
    graph.links[Input("denoise", "positive")] = Output("change", "conditioning")
    file, texts = picture(tmp_path, "green.png", document)
    window.gallery.add(Job("a", "mine", {}, RunRequest(run="r", stamp=texts)), str(file))
    qtbot.mouseClick(window.gallery.search, LEFT)
    qtbot.keyClicks(window.gallery.search, "green")
    qtbot.waitUntil(lambda: len(window.gallery.all()) == 1)
    (result,) = window.results.find()
    assert "a green car" in result.prompt
    window.gallery.search.setText("blue")
    qtbot.waitUntil(lambda: not window.gallery.all())


def test_unconnected_parts_are_laid_out_side_by_side(window):
    """Window B17: 30 graphs of 10 nodes became a tower of 5 columns, 180 rows high."""
    window.workspace.new()
    graph = window.workspace.current.document.graph
    part = load(WORKFLOWS / "text_to_image.json").graph
    for number in range(9):
        graph.nodes |= {f"{name}_{number}": Node(n.type) for name, n in part.nodes.items()}
        graph.links |= {
            Input(f"{end.node}_{number}", end.port): Output(f"{start.node}_{number}", start.port)
            for end, start in part.links.items()
        }
    text = window.workspace.current.document
    from nodeforge.formats import read, write
    from nodeforge.ui.documents.open_document import OpenDocument

    window.workspace.add(OpenDocument(read(write(text)), name="nine"))
    view = window.area.view
    view.session.viewer.setFocus()
    QTest.keyClick(view.session.viewer, Qt.Key.Key_L)
    whole = QRectF()
    for item in view.session.scene.node_items.values():
        whole |= item.room()
    assert 0.5 < whole.width() / whole.height() < 4
    assert overlapping(view) == []


def test_the_status_bar_counts_the_steps_of_this_run(qtbot, window):
    """Window B18: a resumed run said 64.7 it/s."""
    window.files.open(WORKFLOWS / "text_to_image.json")
    QTest.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    job = active_run(window).job
    for step, seconds in ((100, 0.25), (101, 0.5), (103, 1.0)):
        window.runner.progress.handle_event(job, Progress("run", "denoise", step, 150, seconds))
    assert "it/s" in window.status.text
    assert "4.0 it/s" in window.status.text


def test_a_workflow_opened_from_the_gallery_is_seen_whole(qtbot, window, tmp_path: Path):
    """Window B19: it was opened on its lower left corner."""
    file, texts = picture(tmp_path, "mine.png", load(WORKFLOWS / "text_to_image.json"))
    window.gallery.add(Job("a", "mine", {}, RunRequest(run="r", stamp=texts)), str(file))
    shown = window.gallery.list
    qtbot.mouseClick(shown.viewport(), LEFT, pos=shown.row_rect(0).center())
    window.pictures.open_workflow(window.gallery.all()[0])
    qtbot.waitUntil(lambda: window.workspace.current is not None)
    qtbot.wait(50)
    view = window.area.view
    fitted = look(view)
    view.zoom_start()
    assert look(view) == fitted
    seen = view.session.viewer.visible_rect()
    assert all(seen.intersects(item.body()) for item in view.session.scene.node_items.values())


@pytest.mark.parametrize("size", [(1024, 700), (1366, 740), (1900, 1040)])
def test_the_canvas_of_a_project_is_seen_whole(qtbot, window, tmp_path: Path, size):
    """Window B19: proj.nforge was opened at 111 % in the upper left."""
    window.resize(*size)
    driver = driver_in(window, white(900, 400))
    file = tmp_path / "proj.nforge"
    window.workspace.projects().save(project_of(driver.tab.opened), file)
    window.files.open(file)
    qtbot.waitUntil(lambda: window.workspace.current.path == file)
    window.area.show_view("canvas")
    QApplication.processEvents()
    view = window.area.canvas.editor.view
    zoom, centre = view.camera.zoom, view.camera.centre
    view.fit()
    assert (view.camera.zoom, view.camera.centre) == (zoom, centre)
    place = view.camera.transform().mapRect(QRectF(0, 0, 900, 400))
    assert abs(place.center().x() - view.width() / 2) <= 2
    assert abs(place.center().y() - view.height() / 2) <= 2
    QTest.mouseClick(view, LEFT, pos=QPoint(5, 5))
    window.resize(window.width() + 60, window.height())
    QApplication.processEvents()
    assert view.camera.zoom == zoom  # once worked in, the picture stays where it is
