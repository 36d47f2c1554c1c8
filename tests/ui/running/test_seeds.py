"""Seeds: what becomes of them when a run is queued, and what is run again (window B7)."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton

from nodeforge.engine.events import RunCancelled
from nodeforge.formats import load, stamp
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Node, Subgraph
from nodeforge.imaging import PictureFormat, encode
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import (
    LARGEST,
    LARGEST_DRAWN,
    MODES,
    next_seed,
    seed_mode,
    seed_ports,
)
from support.windows import active_run

CATALOGUE = Catalogue.shipped()
CONTROL = Qt.KeyboardModifier.ControlModifier
WORKFLOWS = sorted(shipped("workflows").glob("*.json"))


def opened_with(window, mode: str, seed: int = 5) -> OpenDocument:
    """A workflow with a seed of this mode, in front."""
    document = load(shipped("workflows") / "text_to_image.json")
    document.node("noise").values["seed"] = seed
    document.view.seeds = {"noise.seed": mode} if mode != "fixed" else {}
    opened = OpenDocument(document, name="mine")
    window.workspace.add(opened)
    return opened


def queued(window) -> list[int]:
    """The seeds of all runs that are queued or run."""
    jobs = [*window.runner.jobs.running.values(), *window.runner.jobs.waiting]
    return [job.graph["nodes"]["noise"]["values"]["seed"] for job in jobs if job is not None]


def shown_seed(opened: OpenDocument) -> int:
    return opened.document.node("noise").values["seed"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_seed_of_a_shipped_workflow_is_randomised(path: Path):
    document = load(path)
    seeds = list(seed_ports(document, CATALOGUE))
    assert bool(seeds) is (path.stem != "enlarge")  # which draws nothing
    assert {seed_mode(document, *each) for each in seeds} <= {"random"}


def test_the_modes_have_the_names_that_people_know():
    assert list(MODES.values()) == ["Fixed", "Randomise", "Increment", "Decrement"]


@pytest.mark.parametrize(
    ("mode", "seed", "then"),
    [
        ("fixed", 5, 5),
        ("increment", 5, 6),
        ("increment", LARGEST, 0),
        ("decrement", 5, 4),
        ("decrement", 0, LARGEST_DRAWN),
    ],
)
def test_a_seed_goes_on_within_its_range(mode: str, seed: int, then: int):
    assert next_seed(mode, seed) == then


def test_four_runs_that_randomise_have_four_seeds(qtbot, window):
    """Window B7: x 4 saved four identical pictures."""
    opened = opened_with(window, "random")
    window.run_count.setValue(4)
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    assert len(set(queued(window))) == 4
    assert queued(window)[-1] == shown_seed(opened)  # the seed that is shown made the last picture


def test_a_draw_is_no_undo_step_and_no_unsaved_change(window):
    opened = opened_with(window, "random")
    window.runner.run(opened)
    assert queued(window) == [shown_seed(opened)]
    assert not opened.modified
    assert not opened.document.history.undo_name


@pytest.mark.parametrize(
    ("mode", "seeds"),
    [("increment", [5, 6, 7]), ("decrement", [5, 4, 3]), ("count", [5, 6, 7])],
)
def test_a_counted_seed_begins_with_what_is_shown(window, mode: str, seeds: list[int]):
    opened = opened_with(window, mode)
    window.runner.run(opened, count=2)
    window.runner.run(opened)
    assert queued(window) == seeds


def test_the_same_picture_is_not_made_twice_without_a_word(qtbot, window):
    """Window B7, missing 6: runs 2 to 4 wrote the same file again."""
    opened = opened_with(window, "fixed")
    window.runner.run(opened, count=4)
    assert queued(window) == [5]
    assert "3 runs left out" in window.area.message_bars.text("repeated")
    window.runner.run(opened)
    assert queued(window) == [5]
    buttons = {b.text(): b for b in window.area.message_bars.findChildren(QPushButton)}
    qtbot.mouseClick(buttons["Run with a new seed"], Qt.MouseButton.LeftButton)
    first, second = queued(window)
    assert first == 5 != second
    opened.document.undo()
    assert shown_seed(opened) == 5


def test_a_change_of_any_value_is_run(window):
    opened = opened_with(window, "fixed")
    window.runner.run(opened)
    opened.document.node("prompt").values["text"] = "another"
    window.runner.run(opened)
    assert queued(window) == [5, 5]
    assert window.area.message_bars.text("repeated") == ""


def test_a_new_node_randomises_in_one_step(qtbot, window):
    window.workspace.new()
    document = window.workspace.current.document
    window.library.chosen.emit("sampling.noise")
    (name,) = document.graph.nodes
    assert document.view.seeds == {f"{name}.seed": "random"}
    document.undo()
    assert not document.view.seeds
    document.redo()
    assert document.view.seeds == {f"{name}.seed": "random"}


def test_a_workflow_opened_from_its_picture_makes_that_picture(qtbot, window, tmp_path: Path):
    document = load(shipped("workflows") / "text_to_image.json")
    document.node("noise").values["seed"] = 77
    file = tmp_path / "made.png"
    texts = stamp(document, CATALOGUE)
    file.write_bytes(encode(np.zeros((8, 8, 3), np.uint8), PictureFormat.PNG, texts))
    window.files.open(file)
    qtbot.waitUntil(lambda: window.workspace.current is not None)
    opened = window.workspace.current
    window.runner.run(opened)
    assert queued(window) == [77]
    assert not opened.modified


def test_a_seed_that_is_typed_is_kept(qtbot, window):
    opened = opened_with(window, "random")
    window.area.view.select(["noise"])
    field = window.inspector.row("seed").field
    line = field.findChild(QLineEdit)
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "123")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert field.findChild(QComboBox).currentText() == "Fixed"
    window.runner.run(opened)
    assert queued(window) == [123]


def test_a_run_that_was_stopped_resumes_with_its_seed(qtbot, window):
    opened = opened_with(window, "random")
    window.runner.run(opened)
    (seed,) = queued(window)
    window.runner.active.handle([RunCancelled(active_run(window).id)])
    assert "was stopped" in window.area.message_bars.text("stopped")
    (resume,) = window.area.message_bars.findChildren(QPushButton)
    qtbot.mouseClick(resume, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.runner.busy)
    assert queued(window) == [seed]


def test_seeds_in_subgraphs_are_drawn_and_linked_ones_are_not():
    inner = Graph({"noise": Node("sampling.noise", {"seed": 1})})
    graph = Graph({"box": Subgraph("subgraph", graph=inner), "n": Node("sampling.noise", {})})
    found = list(seed_ports(Document(graph), CATALOGUE))
    assert found == [("n", "seed"), ("box/noise", "seed")]
