"""The window's queue on two workers, with real ones; a walk takes a tenth of a second a step."""

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.states import State
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import Settings
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.running.workers.active_run import ActiveRun
from nodeforge.ui.window.main_window import MainWindow
from support.processes import ForkedWorker, home_with_pack

LONG = 240_000
STEPS = 12


@pytest.fixture
def window(qtbot, open_window, home: Path) -> MainWindow:
    """A window with two workers that are there."""
    settings = replace(home_with_pack(home), workers=2, device="cpu")
    window: MainWindow = open_window(ForkedWorker, settings)
    qtbot.waitUntil(lambda: "chain.steps" in window.workspace.catalogue, timeout=LONG)
    window.docks.show("queue")
    return window


def walk(text: str, seconds: float = 0.1) -> OpenDocument:
    document = Document()
    document.graph.nodes["start"] = Node("chain.start", {"text": text})
    document.graph.nodes["steps"] = Node("chain.steps", {"count": STEPS, "seconds": seconds})
    document.graph.links[Input("steps", "text")] = Output("start", "text")
    return OpenDocument(document, name=text)


def queue(window: MainWindow, *texts: str, seconds: float = 0.1) -> list[OpenDocument]:
    """Queue a walk of each name, each in a tab of its own."""
    made = [walk(text, seconds) for text in texts]
    for opened in made:
        window.workspace.add(opened)
        assert window.runner.run(opened, ["steps"])
    return made


def runs(window: MainWindow) -> dict[str, ActiveRun]:
    """What runs, by the name of its document."""
    return {run.job.name: run for run in window.runner.active.runs.values()}


def has_stepped(window: MainWindow, name: str, steps: int = 2) -> bool:
    run = runs(window).get(name)
    told = window.runner.progress.running.get(run.job.id) if run else None
    return told is not None and told.step >= steps


def state_of(window: MainWindow, name: str) -> State:
    return next(job.state for job in window.runner.kept.jobs if job.name == name)


def all_ended(window: MainWindow) -> bool:
    return not window.runner.busy and not window.runner.jobs.waiting


def told(window: MainWindow) -> Iterator[str]:
    """What the queue's panel says of the state of each row."""
    window.queue.refresh()
    rows = window.queue.list
    for row in range(rows.topLevelItemCount()):
        item = rows.topLevelItem(row)
        assert item is not None
        yield item.text(1)


def test_two_jobs_run_at_a_time_and_one_is_cancelled_alone(qtbot, window):
    queue(window, "one", "two", "three")
    qtbot.waitUntil(lambda: has_stepped(window, "one") and has_stepped(window, "two"), timeout=LONG)
    assert [run.worker.number for run in runs(window).values()] == [1, 2]
    shown = list(told(window))
    for number in (1, 2):
        assert re.fullmatch(rf"Running \d+/{STEPS} on worker {number}, cpu", shown[number - 1])
    assert window.status.text.startswith("2 running ")
    first, second = window.workspace.documents[:2]
    assert first.states["steps"].kind == second.states["steps"].kind == "running"
    window.queue.list.topLevelItem(0).setSelected(True)
    qtbot.mouseClick(window.queue.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "three" in runs(window), timeout=LONG)
    assert state_of(window, "two") in (State.RUNNING, State.DONE)
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    states = [state_of(window, name) for name in ("one", "two", "three")]
    assert states == [State.CANCELLED, State.DONE, State.DONE]
    assert {job.worker for job in window.runner.kept.jobs} == {"worker 1, cpu", "worker 2, cpu"}


def test_stop_ends_the_run_of_the_tab_in_front(qtbot, window):
    first, _ = queue(window, "one", "two")
    window.workspace.new()
    qtbot.waitUntil(lambda: len(runs(window)) == 2, timeout=LONG)
    window.run_menu.stop()
    assert "Runs of other tabs go on" in window.status.text
    window.workspace.show(first)
    window.run_menu.stop()
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    states = [state_of(window, name) for name in ("one", "two")]
    assert states == [State.CANCELLED, State.DONE]


def test_a_tab_shows_the_run_that_began_last_and_then_the_one_that_goes_on(qtbot, window):
    (opened,) = queue(window, "one")
    window.runner.run(opened, ["steps"], again=True)
    qtbot.waitUntil(lambda: len(window.runner.active.runs) == 2, timeout=LONG)
    first, second = window.runner.active.runs.values()
    assert window.runner.display.is_shown(opened, second.id)
    assert window.runner.pictures.link_of(opened) is second.worker.connection
    window.runner.cancel(second.job)
    qtbot.waitUntil(lambda: len(window.runner.active.runs) < 2, timeout=LONG)
    assert window.runner.display.is_shown(opened, first.id)
    assert window.runner.pictures.link_of(opened) is first.worker.connection
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    assert opened.states["steps"].kind == "done"


def test_a_worker_that_is_killed_is_named_and_costs_its_jobs_last_step(qtbot, window):
    queue(window, "one", "two")
    qtbot.waitUntil(lambda: has_stepped(window, "two", 4), timeout=LONG)
    os.kill(runs(window)["two"].worker.connection.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(window.area.message_bars.text("worker")), timeout=LONG)
    text = window.area.message_bars.text("worker")
    assert text.startswith("Worker 2, cpu ended with code -9. “two” is next in the queue again;")
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    calls = {job.name: (job.state, job.model_calls) for job in window.runner.kept.jobs}
    assert calls["one"] == (State.DONE, STEPS)
    assert calls["two"][0] is State.DONE
    assert calls["two"][1] < STEPS  # of the attempt that ended it


def test_a_job_under_which_a_worker_dies_twice_is_paused_and_the_others_go_on(qtbot, window):
    queue(window, "one", "two", "three")
    for _ in range(2):
        qtbot.waitUntil(lambda: has_stepped(window, "two"), timeout=LONG)
        os.kill(runs(window)["two"].worker.connection.pid, signal.SIGKILL)
        qtbot.waitUntil(lambda: "two" not in runs(window), timeout=LONG)
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    states = [state_of(window, name) for name in ("one", "two", "three")]
    assert states == [State.DONE, State.PAUSED, State.DONE]
    assert "“two” is paused" in window.area.message_bars.text("worker")


def test_a_device_that_is_not_there_is_said_and_the_other_worker_runs_the_queue(
    qtbot, open_window, home: Path
):
    settings = replace(home_with_pack(home), workers=2, worker_devices=("cpu", "cuda:9"))
    window = open_window(ForkedWorker, settings)
    qtbot.waitUntil(lambda: "chain.steps" in window.workspace.catalogue, timeout=LONG)
    queue(window, "one", "two", seconds=0.01)
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    qtbot.waitUntil(lambda: bool(window.area.message_bars.text("worker")), timeout=LONG)
    assert window.area.message_bars.text("worker").startswith("Worker 2, cuda:9 is not used. ")
    assert {job.worker for job in window.runner.kept.jobs} == {"worker 1, cpu"}
    assert {job.state for job in window.runner.kept.jobs} == {State.DONE}


def test_more_workers_than_devices_are_said_and_one_runs_the_queue(open_window, home: Path):
    settings = Settings(home=home, workers=3, worker_devices=("cpu", "cpu"))
    window = open_window(settings=settings)
    text = window.area.message_bars.text("worker")
    assert text.startswith("One worker runs the jobs: setting 'worker_devices': names 2 devices")
    assert len(window.runner.workers.all) == 1


def test_workers_are_added_at_once_and_leave_with_their_jobs(qtbot, open_window, home: Path):
    settings = replace(home_with_pack(home), device="cpu")
    window = open_window(ForkedWorker, settings)
    qtbot.waitUntil(lambda: "chain.steps" in window.workspace.catalogue, timeout=LONG)
    queue(window, "one", "two")
    qtbot.waitUntil(lambda: has_stepped(window, "one"), timeout=LONG)
    assert list(runs(window)) == ["one"]
    window.runner.use_settings(replace(settings, workers=2))
    qtbot.waitUntil(lambda: has_stepped(window, "two"), timeout=LONG)
    window.runner.use_settings(settings)
    assert "two" in runs(window)
    qtbot.waitUntil(lambda: all_ended(window), timeout=LONG)
    assert [worker.number for worker in window.runner.workers.all] == [1]
    assert {job.state for job in window.runner.kept.jobs} == {State.DONE}


def test_a_closed_window_keeps_all_that_run(qtbot, window, home: Path):
    queue(window, "one", "two", seconds=0.5)
    qtbot.waitUntil(lambda: len(runs(window)) == 2, timeout=LONG)
    window.runner.close()
    assert [job.state for job in JobQueue(home).jobs()] == [State.WAITING, State.WAITING]
