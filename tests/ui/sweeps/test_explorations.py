"""An exploration in the window: a wall of estimates, stars, and only what has one is finished."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from ui.sweeps.test_grids import finish

from nodeforge.engine import events
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.sweeps.cell_painter import FACE, star_rect
from nodeforge.ui.sweeps.dialogs import ExploreDialog
from support.windows import active_run

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def wall(qtbot, window):
    """The panel, with the first of three candidates running."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    window.commands.run("run.explore")
    dialog = window.findChild(ExploreDialog)
    dialog.seeds.setValue(3)
    dialog.until.setValue(40)
    assert dialog.told.text().startswith("3 estimates")
    qtbot.mouseClick(dialog.run, LEFT)
    qtbot.waitUntil(lambda: window.runner.busy)
    return window.sweeps.explore


def face(wall, number: int):
    return wall.list.item(number - 1).data(FACE)


def pinned(file: Path) -> bool:
    return file.stat().st_mtime > file.stat().st_ctime + 3600


def test_estimates_sharpen_and_only_starred_ones_are_finished(qtbot, window, wall, tmp_path):
    runner = window.runner
    graph = active_run(window).attempt.graph["nodes"]
    (loop,) = (name for name, node in graph.items() if node["type"] == "sampling.estimate")
    assert graph[loop]["values"]["until"] == 0.4
    assert active_run(window).attempt.request.kept_loops == [loop]
    pixels = np.full((8, 8, 3), 200, np.uint8).tobytes()
    runner.active.handle([events.Preview(active_run(window).id, loop, 1, 8, 8, pixels)])
    assert face(wall, 1).preview is not None
    files = [tmp_path / f"{n}-step.result" for n in range(3)]
    for file in files:
        file.touch()
        finish(window, qtbot, checkpoints=[str(file)])
    assert face(wall, 1).preview is None
    assert face(wall, 1).path.parent.name.startswith("explore_")
    assert all(map(pinned, files))
    assert window.gallery.list.count() == 0  # estimates are on the wall alone
    corner = star_rect(wall.list.visualItemRect(wall.list.item(1)))
    qtbot.mouseClick(wall.list.viewport(), LEFT, pos=corner.center())
    assert wall.group.stars == {2}
    assert wall.chosen() is None  # the star alone was meant
    wall.list.setCurrentRow(2)
    qtbot.keyClick(wall.list, Qt.Key.Key_S)
    assert [face(wall, n).star for n in (1, 2, 3)] == [False, True, True]
    qtbot.keyClick(wall.list, Qt.Key.Key_S)
    assert wall.finish.text() == "Finish these (1)"
    estimate = face(wall, 2).path
    qtbot.mouseClick(wall.finish, LEFT)
    qtbot.waitUntil(lambda: runner.busy)
    assert active_run(window).attempt.graph["nodes"]["denoise"]["type"] == "sampling.denoise"
    assert active_run(window).attempt.graph["nodes"]["noise"]["values"]["seed"] == 2
    assert active_run(window).attempt.request.kept_loops == []
    assert face(wall, 2).path == estimate  # until it is finished
    assert not wall.finish.isEnabled()
    finish(window, qtbot)
    assert face(wall, 2).finished
    assert face(wall, 2).path.parent == estimate.parent.parent
    assert window.gallery.list.count() == 1
    assert not any(map(pinned, files))  # the choice is made


def test_a_candidates_whole_workflow_is_opened(qtbot, window, wall):
    wall.list.setCurrentRow(1)
    qtbot.mouseClick(wall.open, LEFT)
    document = window.workspace.current.document
    assert document.node("noise").values["seed"] == 2
    assert document.node("denoise").type == "sampling.denoise"


def test_a_choice_may_be_made_while_others_wait(qtbot, window, wall):
    finish(window, qtbot)
    wall.switch_star(1)
    wall.finish.click()
    finish(window, qtbot)  # the candidate that ran meanwhile
    assert active_run(window).job.kept.group.place["number"] == 1
    assert active_run(window).job.kept.group.place["finish"]


def test_a_workflow_with_nothing_to_choose_is_said(qtbot, window):
    graph = Graph(
        {
            "model": Node("models.load", {"file": "nano"}),
            "empty": Node("latent.empty"),
            "decode": Node("latent.decode"),
            "save": Node("image.save"),
        },
        {
            Input("empty", "vae"): Output("model", "vae"),
            Input("decode", "vae"): Output("model", "vae"),
            Input("decode", "latent"): Output("empty", "latent"),
            Input("save", "image"): Output("decode", "image"),
        },
    )
    window.workspace.add(OpenDocument(Document(graph), name="grey"))
    window.ask_explore()
    qtbot.mouseClick(window.findChild(ExploreDialog).run, LEFT)
    assert "has no Denoise" in window.area.message_bars.text("run")
    assert not window.runner.jobs.pending


def test_stars_are_kept_after_the_window(qtbot, open_window):
    """Also of a candidate that had none, and those taken again; they can be finished then."""
    first = open_window()
    first.files.open(shipped("workflows") / "text_to_image.json")
    first.commands.run("run.explore")
    dialog = first.findChild(ExploreDialog)
    dialog.seeds.setValue(3)
    qtbot.mouseClick(dialog.run, LEFT)
    qtbot.waitUntil(lambda: first.runner.busy)
    while first.runner.busy:
        finish(first, qtbot)
    for number in (1, 2, 3, 2):
        first.sweeps.explore.switch_star(number)
    for opened in first.workspace.documents:
        opened.mark_saved()
    first.files.confirm_close_all = lambda: True
    first.close()
    second = open_window()
    wall = second.sweeps.explore
    assert [face(wall, number).star for number in (1, 2, 3)] == [True, False, True]
    assert wall.finish.text() == "Finish these (2)"
    qtbot.mouseClick(wall.finish, LEFT)
    qtbot.waitUntil(lambda: second.runner.busy)
    assert active_run(second).attempt.graph["nodes"]["noise"]["values"]["seed"] == 1
    assert [face(wall, number).star for number in (1, 2, 3)] == [True, False, True]
    place = active_run(second).job.kept.group.place
    assert place["finish"]
    assert "star" not in place


def test_a_star_on_a_job_that_was_removed_is_the_windows_own(qtbot, window, wall):
    while window.runner.busy:
        finish(window, qtbot)
    window.runner.jobs.clear()
    wall.switch_star(1)
    assert face(wall, 1).star
