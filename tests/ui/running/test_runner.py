"""Runs with a real worker: states, pictures, gallery, failures, a worker that dies."""

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QPushButton

from nodeforge.engine.content.assets import keep_picture
from nodeforge.engine.events import Progress, Source
from nodeforge.engine.running.context import RunRequest
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.settings import Settings, shipped
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.running.job_queue import Job
from nodeforge.ui.running.progress import ProgressMeter
from support.processes import ForkedWorker

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LONG = 240_000
"""Milliseconds; a busy machine takes a minute to import the worker's libraries."""


@pytest.fixture
def working(open_window):
    """A window with a real worker."""
    return open_window(ForkedWorker)


def brightened(settings: Settings, folder: Path, sizes=((8, 6), (8, 6))) -> OpenDocument:
    """Two pictures, blended, shown and saved: no model, no network."""
    document = Document()
    graph = document.graph
    for index, size in enumerate(sizes):
        path = folder / f"{index}.png"
        image = QImage(*size, QImage.Format.Format_RGB32)
        image.fill(QColor(40 + 100 * index, 80, 120))
        image.save(str(path))
        document.assets[path.name] = keep_picture(path, settings)
        graph.nodes[f"load_{index}"] = Node("image.load", {"file": f"asset:{path.name}"})
    graph.nodes["blend"] = Node("image.blend", {"opacity": 0.5})
    graph.nodes["save"] = Node("image.save")
    graph.links[Input("blend", "base")] = Output("load_0", "image")
    graph.links[Input("blend", "over")] = Output("load_1", "image")
    graph.links[Input("save", "image")] = Output("blend", "image")
    return OpenDocument(document, name="brightened")


def run(qtbot, window, keys=CONTROL) -> None:
    with qtbot.waitSignal(window.runner.jobs.changed):
        qtbot.keyClick(window, Qt.Key.Key_Return, keys)
    qtbot.waitUntil(lambda: not window.runner.busy and not window.runner.jobs.waiting, timeout=LONG)


def bar_button(window, text: str) -> QPushButton:
    buttons = window.area.message_bars.findChildren(QPushButton)
    return next(button for button in buttons if button.text() == text)


def test_nodes_say_how_long_they_took_also_where_a_run_would_not_ask_for_them(
    qtbot, working, tmp_path: Path
):
    opened = brightened(working.workspace.settings, tmp_path)
    working.workspace.add(opened)
    run(qtbot, working)
    took = {node: state.seconds for node, state in opened.states.items()}
    assert None not in took.values()
    before = dict.fromkeys(took, Source.COMPUTED)
    planner = working.runner.planner
    planner._show_plan(opened, {"save": Source.COMPUTED}, before, {"save": ""})  # blend is there
    assert {node: state.seconds for node, state in opened.states.items()} == took
    assert opened.states["load_0"].kind == ""


def test_the_viewer_goes_on_with_the_last_picture_while_a_node_without_one_is_selected(
    qtbot, working, tmp_path: Path
):
    opened = brightened(working.workspace.settings, tmp_path)
    opened.document.graph.nodes["number"] = Node("values.integer")
    working.workspace.add(opened)
    working.area.view.select(["number"])
    run(qtbot, working)
    shown = working.viewer.picture_view
    qtbot.waitUntil(lambda: not shown.image.isNull(), timeout=LONG)
    blended = QColor(90, 80, 120)
    qtbot.waitUntil(lambda: shown.image.pixelColor(0, 0) == blended, timeout=LONG)
    working.area.view.select(["load_0"])
    assert shown.image.pixelColor(0, 0) != blended
    working.area.view.select(["number"])
    assert shown.image.pixelColor(0, 0) == blended


def test_a_run_shows_states_and_pictures_and_fills_the_gallery(qtbot, working, tmp_path: Path):
    window = working
    opened = brightened(window.workspace.settings, tmp_path)
    window.workspace.add(opened)
    run(qtbot, window)
    kinds = {path: state.kind for path, state in opened.states.items()}
    assert kinds["blend"] == "done"
    qtbot.waitUntil(lambda: {"load_0", "blend", "save"} <= set(opened.pictures), timeout=LONG)
    assert opened.pictures["blend"].pixelColor(0, 0) == QColor(90, 80, 120)
    assert window.gallery.list.count() == 1
    window.area.view.select(["blend"])
    assert window.viewer.picture_view.image.size() == opened.pictures["blend"].size()
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)  # the same picture is not written twice
    assert not window.runner.busy
    assert "Same as last: nothing changed" in window.area.message_bars.text("repeated")
    with qtbot.waitSignal(window.runner.finished, timeout=LONG):
        bar_button(window, "Run again").click()
    assert opened.states["blend"].kind in ("cached", "done")
    assert window.runner.jobs.ended[0].state == "done"
    assert window.gallery.list.count() == 2

    window.area.view.select(["load_0"])
    run(qtbot, window, CONTROL | SHIFT)  # to the selected node: nothing is saved
    assert window.gallery.list.count() == 2

    window.run_count.setValue(3)
    run(qtbot, window)
    assert window.gallery.list.count() == 3
    assert "2 runs left out" in window.area.message_bars.text("repeated")

    opened.perform(SetValue("blend", "opacity", 0.25))
    qtbot.waitUntil(lambda: opened.states["blend"].kind == "will_run", timeout=LONG)
    window.area.view.select(["blend"])
    assert opened.is_out_of_date("blend")  # window B14: nothing was marked as old
    assert not opened.is_out_of_date("load_0")
    assert window.viewer._name.text() == "Blend images, out of date"
    opened.document.undo()
    qtbot.waitUntil(lambda: opened.states["blend"].kind == "cached", timeout=LONG)
    assert window.viewer._name.text() == "Blend images"


def test_a_failed_node_says_what_it_was_given_and_what_to_do(qtbot, working, tmp_path: Path):
    window = working
    opened = brightened(window.workspace.settings, tmp_path, sizes=((8, 6), (4, 4)))
    window.workspace.add(opened)
    run(qtbot, window)
    assert opened.states["blend"].kind == "error"
    text = window.area.message_bars.text("run")
    assert text.startswith("brightened: Blend images: one picture is 8 × 6 pixels")
    assert "Inputs" in text
    assert window.runner.jobs.ended[0].state == "failed"
    assert "Traceback" not in window.log.toPlainText()  # window B22
    large = opened.document.node("load_0").values["file"]
    opened.perform(SetValue("load_1", "file", large))
    qtbot.waitUntil(lambda: opened.states["blend"].kind == "will_run", timeout=LONG)  # B14


def test_pictures_of_the_cache_replace_those_of_other_values(qtbot, working, tmp_path: Path):
    """Window B14: one node showed the car, the others still the castle."""
    opened = brightened(working.workspace.settings, tmp_path)
    working.workspace.add(opened)
    run(qtbot, working)
    opened.perform(SetValue("blend", "opacity", 0.0))
    run(qtbot, working)
    qtbot.waitUntil(lambda: _grey(opened) == 40, timeout=LONG)
    opened.document.undo()
    qtbot.waitUntil(lambda: _grey(opened) == 90, timeout=LONG)


def _grey(opened: OpenDocument) -> int:
    return opened.pictures["blend"].pixelColor(0, 0).red()


@pytest.mark.parametrize("steps", [[1, 2, 4], [11, 12, 14]], ids=["whole", "resumed"])
def test_the_rate_counts_the_steps_of_this_run(qapp, steps: list[int]):
    """Window B18: a resumed run said 64.7 it/s."""
    first, meter = job("first"), ProgressMeter()
    meter.begin(first, {})
    for step in steps:
        meter.handle_event(
            first, Progress("first", "denoise", step, 20, 0.25 * (step - steps[0] + 1))
        )
    assert meter.running[first.id].rate == 4.0


def test_a_worker_that_dies_is_restarted_and_the_document_is_untouched(
    qtbot, working, tmp_path: Path
):
    window = working
    opened = brightened(window.workspace.settings, tmp_path)
    window.workspace.add(opened)
    answers = []
    window.runner.worker.ask("devices", answers.append)
    qtbot.waitUntil(lambda: bool(answers), timeout=LONG)
    os.kill(window.runner.worker.pid, signal.SIGSTOP)  # it hears of the run, and cannot finish it
    window.run_menu.run()
    qtbot.wait(500)
    with qtbot.waitSignal(window.runner.worker_lost, timeout=LONG):
        window.runner.worker.kill()
    assert "untouched" in window.area.message_bars.text("worker")
    window.run_menu.restart_worker()
    run(qtbot, window)
    assert window.runner.jobs.ended[0].state == "done"
    qtbot.waitUntil(lambda: window.status.device.text().startswith("Processor, "), timeout=LONG)


def test_the_inspector_says_what_a_model_will_take(qtbot, working):
    window = working
    document = Document()
    document.graph.nodes["model"] = Node("models.load", {"file": "nano"})
    opened = OpenDocument(document, name="nano")
    window.workspace.add(opened)
    opened.selection = ["model"]
    window.inspector.show_nodes(opened, ["model"])
    qtbot.waitUntil(lambda: bool(opened.memory_needs), timeout=LONG)
    texts = [label.text() for label in window.inspector.findChildren(QLabel) if label.isVisible()]
    (told,) = [text for text in texts if text.startswith("Takes")]
    assert "MiB of memory, and up to" in told


def test_problems_refuse_a_run_and_are_listed(qtbot, window):
    window.workspace.new()
    window.library.chosen.emit("image.save")
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    assert "Not run: 1 problem" in window.area.message_bars.text("refused")
    assert window.docks.all["problems"].windowTitle() == "Problems (1)"
    assert not window.runner.busy


def test_a_refused_run_offers_the_value_that_would_do(qtbot, window):
    """window, job *Missing link, wrong size*: there was no button "Use 256"."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    document = window.workspace.current.document
    document.node("noise").values["width"] = 250
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    bars = window.area.message_bars
    assert "250" in bars.text("refused")
    (use,) = [b for b in bars.findChildren(QPushButton) if b.text() == "Use 256"]
    qtbot.mouseClick(use, Qt.MouseButton.LeftButton)
    assert document.node("noise").values["width"] == 256
    qtbot.waitUntil(lambda: not bars.text("refused"))
    assert document.history.undo_name.startswith("change width")


def test_a_problem_is_mended_by_its_button(qtbot, window):
    window.workspace.new()
    opened = window.workspace.current
    opened.document.graph.nodes["odd"] = Node("values.integer", {"valeu": 1})
    window.runner.planner.check(opened)
    fixable = [problem for problem in opened.problems if problem.fix]
    assert fixable
    window.problems._fix(fixable[0])
    window.runner.planner.check(opened)
    assert not [problem for problem in opened.problems if problem.fix]


def job(name: str) -> Job:
    return Job("", name, {}, RunRequest(name))


def test_the_queue_is_reordered_and_cleared(window):
    jobs = window.runner.jobs
    first, second = job("first"), job("second")
    jobs.add(first)
    jobs.add(second)
    jobs.move(second, -1)
    assert jobs.waiting == [second, first]
    jobs.remove(first)
    assert jobs.waiting == [second]
    jobs.cancel_waiting()
    assert not jobs.waiting


def test_what_arrives_for_a_closed_document_is_dropped(qtbot, working, tmp_path: Path):
    window = working
    opened = brightened(window.workspace.settings, tmp_path)
    window.workspace.add(opened)
    window.run_menu.run()
    window.workspace.close(opened)
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=LONG)
    assert window.workspace.current is None


def test_the_queue_has_the_workflow_as_it_was(window):
    window.workspace.add(OpenDocument(Document(Graph({"n": Node("image.preview")}))))
    opened = window.workspace.current
    window.runner._queue(opened, [])
    opened.document.graph.nodes.clear()
    assert window.runner.jobs.waiting[0].graph["nodes"]


def test_seeds_move_on_between_queued_runs(window):
    document = Document(Graph({"seed": Node("values.seed", {"value": 5})}))
    window.workspace.add(OpenDocument(document))
    opened = window.workspace.current
    opened.document.view.seeds["seed.value"] = "count"
    for _ in range(2):
        window.runner.requests.draw_seeds(opened)
        window.runner._queue(opened, [])
    seeds = [j.graph["nodes"]["seed"]["values"]["value"] for j in window.runner.jobs.waiting]
    assert seeds == [5, 6]


def test_ctrl_enter_runs_also_while_a_prompt_is_typed(qtbot, window):
    window.workspace.new()
    window.library.chosen.emit("text.encode")
    name = next(iter(window.workspace.current.document.graph.nodes))
    window.area.view.select([name])
    text = window.inspector.row("text").field.editor()
    text.setFocus()
    qtbot.keyClick(text, Qt.Key.Key_Return, CONTROL)
    assert "Not run" in window.area.message_bars.text("refused")
    assert window.workspace.current.document.node(name).values.get("text", "") == ""
