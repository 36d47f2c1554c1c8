"""Edit > History goes to any step; the graph goes to the clipboard and to files as a picture."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMenu

from nodeforge.formats import write
from nodeforge.settings import shipped
from nodeforge.ui.window.menus.history_menu import HistoryMenu

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


def history(window) -> HistoryMenu:
    menu = window.menuBar().findChild(HistoryMenu)
    menu.fill()
    return menu


def entries(menu: QMenu) -> list[str]:
    return [("> " if a.isChecked() else "") + a.text() for a in menu.actions()]


def test_every_step_is_listed_and_gone_to_by_a_click(window):
    window.workspace.new()
    start = write(window.workspace.current.document)
    for type_id in ("values.integer", "values.float", "image.preview"):
        window.library.chosen.emit(type_id)
    whole = write(window.workspace.current.document)
    menu = history(window)
    assert entries(menu) == ["> Add preview", "Add float", "Add integer", "Opened"]
    menu.actions()[2].trigger()
    assert len(window.workspace.current.document.graph.nodes) == 1
    menu = history(window)
    assert entries(menu) == ["Add preview", "Add float", "> Add integer", "Opened"]
    menu.actions()[3].trigger()
    assert write(window.workspace.current.document) == start
    history(window).actions()[0].trigger()
    assert write(window.workspace.current.document) == whole


def test_the_graph_is_copied_as_a_drawing(window):
    window.files.open(TEXT_TO_IMAGE)
    window.commands["file.copy_svg"].trigger()
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasFormat("image/svg+xml")
    assert "<svg" in data.text()


@pytest.mark.parametrize("name", ["graph.svg", "graph.png", "graph"])
def test_the_graph_is_exported(window, monkeypatch, tmp_path: Path, name: str):
    answer = (str(tmp_path / name), "Picture (*.png)" if "png" in name else "Drawing (*.svg)")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
    window.files.open(TEXT_TO_IMAGE)
    window.commands["file.export_graph"].trigger()
    (made,) = tmp_path.glob("graph*")
    if made.suffix == ".png":
        assert QImage(str(made)).width() > 500
    else:
        assert b"<svg" in made.read_bytes()
    assert str(made) in window.status.text


def test_an_export_that_cannot_be_written_says_so(window, monkeypatch, tmp_path: Path):
    answer = (str(tmp_path / "no" / "graph.svg"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
    window.files.open(TEXT_TO_IMAGE)
    window.commands["file.export_graph"].trigger()
    assert "cannot be written" in window.area.message_bars.text("save")
