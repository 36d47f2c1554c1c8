"""Nothing of a closed tab stays in memory (reliability F6)."""

import gc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import Canvas
from nodeforge.settings import shipped
from nodeforge.ui.window.main_window import MainWindow
from support.canvas_driver import driver_in, white

KINDS = (
    *("OpenDocument", "Document", "History", "GraphView", "GraphSession", "GraphScene"),
    *("NodeItem", "GraphPortItem", "GraphViewer", "Minimap", "DocumentPage"),
    *("Canvas", "CanvasTab", "CanvasEditor", "CanvasView", "CanvasSession", "Tiles", "Generator"),
    *("GenerationForm", "LayersPanel", "StagingArea", "BrushTool", "Snapping", "MarchingAnts"),
)


def alive() -> Counter[str]:
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
    kinds = (type(each).__name__ for each in gc.get_objects())
    return Counter(kind for kind in kinds if kind in KINDS)


def open_and_close(window: MainWindow, path: Path) -> None:
    window.files.open(path)
    QApplication.processEvents()
    window.inspector.repaint()
    window.files.close(window.workspace.current)


def test_no_part_of_closed_workflows_is_alive(window: MainWindow):
    before = alive()
    for path in sorted(shipped("workflows").glob("*.json")):
        open_and_close(window, path)
    assert alive() - before == Counter()


def test_no_part_of_closed_canvases_is_alive(qtbot, open_window, tmp_path: Path):
    window = open_window()
    before = alive()

    def paint_and_close() -> None:
        driver = driver_in(window, white(512, 512))
        driver.tool("brush", size=30, hardness=1.0)
        driver.pointer.drag([(50, 50), (200, 200)])
        assert np.any(driver.pixels()[..., :3] < 255)
        driver.tab.opened.mark_saved()
        window.files.close(driver.tab.opened)

    for _ in range(3):
        paint_and_close()
    assert alive() - before == Counter()


def test_a_tab_closed_with_its_canvas_unshown_is_let_go(window: MainWindow):
    before = alive()

    def close_one() -> None:
        window.workspace.new()
        opened = window.workspace.current
        opened.set_canvas(Canvas(white(64, 64)))
        opened.mark_saved()
        window.files.close(opened)

    close_one()
    assert alive() - before == Counter()


@pytest.mark.parametrize("count", [3])
def test_views_replaced_by_a_new_catalogue_are_let_go(window: MainWindow, count: int):
    window.files.open(shipped("workflows") / "text_to_image.json")
    before = alive()
    for _ in range(count):
        window.workspace.set_catalogue(window.workspace.catalogue)
    assert alive() - before == Counter()
