"""Projects are opened while the window answers."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QProgressBar

from nodeforge.canvas import LayerKind, State, Tiles
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.formats.bundle import Project, ProjectFiles
from nodeforge.graph.document import Document

LONG = 20_000


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
    reader._clock.setInterval(0)
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
