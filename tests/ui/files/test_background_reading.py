"""Files are read while the window answers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QProgressBar, QPushButton, QWidget

from nodeforge.canvas import LayerKind, State, Tiles
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.formats.canvas.openraster import save_openraster
from nodeforge.formats.projects.bundle import Project, ProjectFiles
from nodeforge.graph.document import Document
from nodeforge.settings import shipped
from nodeforge.ui.canvas_view.editor.picture_files import PictureFiles

LONG = 20_000
TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"


@pytest.fixture
def project(tmp_path: Path):
    """Writes a project of some size that no run of bytes makes small."""

    def write(name: str, side: int = 256) -> Path:
        pixels = np.random.default_rng(side).integers(0, 255, (side, side, 4), np.uint8)
        state = State(side, side)
        state = with_new(state, new_layer(state, LayerKind.PAINT, tiles=Tiles.of(pixels)))
        path = tmp_path / f"{name}.nforge"
        ProjectFiles(tmp_path / "assets").save(Project(Document(), state), path)
        return path

    return write


def opened(window, path: Path):
    return window.workspace.find_by_path(path)


def test_opening_returns_at_once_and_the_project_follows(qtbot, window, project):
    path = project("one")
    window.files.open(path)
    assert opened(window, path) is None
    qtbot.waitUntil(lambda: opened(window, path) is not None, timeout=LONG)
    assert window.workspace.current is opened(window, path)
    assert window.area.canvas is not None
    assert window.area.view_switch.buttons["canvas"].isChecked()
    assert window.docks.all["library"].isHidden()  # the graph's panels make room
    view = window.area.canvas.view
    qtbot.waitUntil(lambda: abs(view.camera.to_view(QPointF(128, 128)).x() * 2 - view.width()) < 4)


def test_two_projects_asked_for_together_are_both_opened_the_last_in_front(qtbot, window, project):
    first, second = project("first", 300), project("second", 200)
    for path in (first, second, first):
        window.files.open(path)
    qtbot.waitUntil(lambda: len(window.workspace.documents) == 2, timeout=LONG)
    assert window.workspace.current is opened(window, second)


def test_who_went_elsewhere_meanwhile_stays_there(qtbot, window, project):
    window.workspace.new()
    path = project("one")
    window.files.open(path)
    other = window.workspace.new()
    qtbot.waitUntil(lambda: opened(window, path) is not None, timeout=LONG)
    assert window.workspace.current is other


def test_a_damaged_project_is_refused_in_words(qtbot, window, project, tmp_path: Path):
    path = project("whole")
    cut = tmp_path / "cut.nforge"
    cut.write_bytes(path.read_bytes()[:5000])
    window.files.open(cut)
    qtbot.waitUntil(lambda: "cut.nforge" in window.area.message_bars.text("open"), timeout=LONG)
    assert window.workspace.documents == []


def test_a_large_project_says_how_far_it_is_and_can_be_stopped(qtbot, window, project):
    path, message_bars = project("large", 2048), window.area.message_bars
    reader = window.files._reader
    window.files.open(path)
    reader._show()
    assert "large.nforge" in message_bars.text("reading")
    assert message_bars.findChildren(QProgressBar)
    reader.stop()
    qtbot.waitUntil(lambda: not reader.busy, timeout=LONG)
    assert message_bars.text("reading") == ""
    assert window.workspace.documents == []


def test_the_window_can_be_closed_while_a_project_is_read(qtbot, window, project):
    window.files.open(project("large", 2048))
    assert window.close()
    qtbot.wait(50)
    assert window.workspace.documents == []


def test_reading_tells_how_far_it_is(project, tmp_path: Path):
    told: list[float] = []
    ProjectFiles(tmp_path / "assets").load(project("one", 512), told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_a_large_workflow_and_a_picture_are_read_in_the_background(qtbot, window, tmp_path: Path):
    raw = TEXT_TO_IMAGE.read_bytes()
    (tmp_path / "large.json").write_bytes(raw + b" " * 2**18)
    info = PngInfo()
    info.add_text("nodeforge", raw.decode())
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png", pnginfo=info)
    for name in ("large.json", "picture.png"):
        window.files.open(tmp_path / name)
    assert window.workspace.documents == []
    qtbot.waitUntil(lambda: len(window.workspace.documents) == 2, timeout=LONG)
    first, second = window.workspace.documents
    assert (first.path, second.path) == (tmp_path / "large.json", None)
    assert window.workspace.current is second
    window.files.open(tmp_path / "large.json")
    assert window.workspace.current is first


@pytest.mark.parametrize("name", ["picture.png", "large.json"])
def test_what_is_stopped_is_not_opened_and_nothing_is_said(
    qtbot, window, tmp_path: Path, name: str
):
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    (tmp_path / "large.json").write_bytes(TEXT_TO_IMAGE.read_bytes() + b" " * 2**18)
    reader = window.files._reader
    window.files.open(tmp_path / name)
    reader._show()
    assert name in window.area.message_bars.text("reading")
    buttons = window.area.message_bars.findChildren(QPushButton)
    next(button for button in buttons if button.text() == "Cancel").click()
    qtbot.waitUntil(lambda: not reader.busy, timeout=LONG)
    assert window.workspace.documents == []
    assert window.area.message_bars.text("open") == ""
    assert window.area.message_bars.text("reading") == ""


def test_a_layered_picture_says_how_far_it_is_and_can_be_stopped(qtbot, tmp_path: Path):
    state = State(256, 256)
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 255, (256, 256, 4), np.uint8)
        state = with_new(state, new_layer(state, LayerKind.PAINT, tiles=Tiles.of(pixels)))
    save_openraster(state, tmp_path / "layers.ora")
    dialogs = QWidget()
    qtbot.addWidget(dialogs)
    files, read, told = PictureFiles(dialogs), [], []
    files.refused.connect(told.append)
    files.read(tmp_path / "layers.ora", "layers.ora", read.append)
    with qtbot.waitSignal(files.reader.progress) as progress:
        files.reader._show()
    assert "layers.ora" in progress.args[0]
    files.reader.stop()
    qtbot.waitUntil(lambda: not files.reader.busy, timeout=LONG)
    assert (read, told) == ([], [])
    files.read(tmp_path / "layers.ora", "layers.ora", read.append)
    qtbot.waitUntil(lambda: bool(read), timeout=LONG)
    assert len(read[0].layers) == 8
    files.close()
