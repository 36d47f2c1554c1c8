"""Jobs of the window are kept on disk: they survive it, and are reordered, edited and resumed."""

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton

from nodeforge.engine import events
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.lease import LeaseTakenError
from nodeforge.engine.queue.states import State
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.panels.queue_list import QueueList
from support.processes import ForkedWorker, home_with_pack
from support.queue_worker import new_job, run_queue
from support.windows import active_run

LEFT = Qt.MouseButton.LeftButton
LONG = 240_000


def opened_in(window, text: str = "a fox") -> OpenDocument:
    """A document that can be run, and saves nothing."""
    graph = Graph({"text": Node("values.text", {"text": text})})
    window.workspace.add(OpenDocument(Document(graph), name=text))
    return window.workspace.current


def queued(window, *texts: str) -> list[str]:
    """Queue a job for each text; the ids."""
    for text in texts:
        window.runner._queue(opened_in(window, text), ["text"])
    return [job.id for job in window.runner.jobs.pending][-len(texts) :]


def names(window) -> list[str]:
    return [job.name for job in window.runner.jobs.pending]


def queue_list(window) -> QueueList:
    """The list as a person sees it, with what has changed."""
    window.docks.show("queue")
    QApplication.processEvents()
    return window.queue.list


def rows(window) -> list[tuple[str, str]]:
    items = [
        queue_list(window).topLevelItem(n) for n in range(queue_list(window).topLevelItemCount())
    ]
    return [(item.text(0), item.text(1)) for item in items]


def select(window, *ids: str) -> None:
    queue_list(window).clearSelection()
    for number in range(queue_list(window).topLevelItemCount()):
        item = queue_list(window).topLevelItem(number)
        item.setSelected(item.data(0, Qt.ItemDataRole.UserRole) in ids)


def bar_button(window, text: str) -> QPushButton:
    buttons = window.area.message_bars.findChildren(QPushButton)
    return next(button for button in buttons if button.text() == text)


def test_jobs_are_on_disk_as_soon_as_they_are_queued(window, home: Path):
    queued(window, "one", "two")
    queue = JobQueue(home)
    assert [job.name for job in queue.pending()] == ["one", "two"]
    assert queue.document(queue.pending()[0].id).node("text").values == {"text": "one"}
    assert queue.pending()[0].source == window.workspace.documents[0].run_id


def test_a_closed_window_leaves_its_jobs_to_the_next_which_asks(qtbot, open_window, home: Path):
    first = open_window()
    queued(first, "one", "two", "three")
    first.runner.restart_worker()
    qtbot.waitUntil(lambda: first.runner.busy)
    for opened in first.workspace.documents:
        opened.mark_saved()
    first.files.confirm_close_all = lambda: True
    first.close()
    assert [job.state for job in JobQueue(home).pending()] == [State.WAITING] * 3
    assert JobQueue(home).holder() is None
    second = open_window()
    assert names(second) == ["one", "two", "three"]
    qtbot.wait(50)
    assert not second.runner.busy
    told = second.area.message_bars.text("queue")
    assert told == "In the queue from before: 3 jobs, 1 begun, to go on from the last step."
    assert [state for _, state in rows(second)] == ["Waiting, from before"] * 3
    queued(second, "mine")  # what is queued now need not wait for them
    second.runner.active.advance()
    qtbot.waitUntil(lambda: second.runner.busy)
    assert active_run(second).job.name == "mine"
    second.runner.active.handle([events.RunFinished(active_run(second).id, [], 0.1, 0)])
    qtbot.wait(50)
    assert not second.runner.busy
    qtbot.mouseClick(bar_button(second, "Go on"), LEFT)
    qtbot.waitUntil(lambda: second.runner.busy)
    assert active_run(second).job.name == "one"
    assert not second.area.message_bars.text("queue")


def test_a_killed_window_leaves_its_jobs(qtbot, open_window, home: Path):
    """A child process that is a window in all but looks is killed while its job runs."""
    child = os.fork()
    if child == 0:
        from nodeforge.engine.queue.claims import JobClaims

        queue = JobQueue(home)
        queue.add([new_job(1), new_job(2)])
        claims = JobClaims(queue, "the window")
        claims.acquire()
        claims.next()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    window = open_window()
    assert names(window) == ["job 1", "job 2"]
    assert window.runner.kept.is_runner
    assert "1 begun" in window.area.message_bars.text("queue")


def test_the_command_line_says_that_the_window_runs_the_queue(window, home: Path):
    JobQueue(home).add([new_job()])
    with pytest.raises(LeaseTakenError, match="the window runs the queue"):
        run_queue(JobQueue(home))


def test_jobs_of_the_command_line_are_seen(qtbot, window, home: Path):
    JobQueue(home).add([new_job(5)])
    qtbot.waitUntil(lambda: names(window) == ["job 5"])
    assert window.docks.all["queue"].windowTitle() == "Queue (1)"


def test_a_window_beside_a_runner_shows_its_jobs_and_takes_over(qtbot, open_window, home: Path):
    from nodeforge.engine.queue.claims import JobClaims

    queue = JobQueue(home)
    queue.add([new_job(1), new_job(2)])
    claims = JobClaims(queue, "'nodeforge queue run'")
    claims.acquire()
    running = claims.next()
    assert running is not None
    window = open_window()
    assert "'nodeforge queue run', runs the queue" in window.area.message_bars.text("queue")
    assert rows(window)[0] == ("job 1", "Running")
    queued(window, "mine")
    qtbot.wait(50)
    assert not window.runner.busy
    claims.end(running, State.DONE)
    claims.lease.release()
    qtbot.waitUntil(lambda: window.runner.busy)
    assert active_run(window).job.name == "mine"  # what others have queued waits for a word
    assert ("job 2", "Waiting, from before") in rows(window)


def test_jobs_are_dragged_and_moved_by_keys(qtbot, window):
    window.runner.pause(True)
    ids = queued(window, "one", "two", "three")
    select(window, ids[2])
    queue_list(window)._move_selected(0)
    assert names(window) == ["three", "one", "two"]
    select(window, ids[2], ids[0])
    qtbot.keyClick(queue_list(window), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert names(window) == ["two", "three", "one"]
    assert queue_list(window).selected_ids() == {ids[2], ids[0]}
    rect = queue_list(window).visualItemRect(queue_list(window).topLevelItem(0))
    assert queue_list(window)._row_at(rect.center() + QPoint(0, 2)) == 1
    window.queue._set_priority(-1)
    assert names(window)[0] == "two"
    assert rows(window)[1][1] == "Waiting, low priority"


def test_a_waiting_job_is_paused_and_resumed(qtbot, window):
    window.runner.pause(True)
    (job,) = queued(window, "one")
    select(window, job)
    qtbot.mouseClick(window.queue.pause_job, LEFT)
    assert rows(window) == [("one", "Paused")]
    window.runner.pause(False)
    qtbot.wait(20)
    assert not window.runner.busy
    select(window, job)
    qtbot.mouseClick(window.queue.resume_job, LEFT)
    qtbot.waitUntil(lambda: window.runner.busy)


def test_cancel_all_and_run_once_more(qtbot, window):
    window.runner.pause(True)
    ids = queued(window, "one", "two")
    assert [state for _, state in rows(window)] == ["Waiting", "Waiting"]
    qtbot.mouseClick(window.queue.cancel_all, LEFT)
    assert [state for _, state in rows(window)] == ["Stopped", "Stopped"]
    select(window, ids[0])
    qtbot.mouseClick(window.queue.again, LEFT)
    assert names(window) == ["one"]
    qtbot.mouseClick(window.queue.clear, LEFT)
    assert rows(window) == [("one", "Waiting")]


def test_a_waiting_job_is_edited_and_put_back(qtbot, window):
    window.runner.pause(True)
    job, other = queued(window, "one", "two")
    select(window, job)
    qtbot.mouseClick(window.queue.edit, LEFT)
    opened = window.workspace.current
    assert opened.job == job
    assert rows(window)[0] == ("one", "Paused")  # it does not begin meanwhile
    opened.perform(SetValue("text", "text", "another"))
    assert window.files.save(opened)
    assert not opened.modified
    assert rows(window)[0] == ("one", "Waiting")
    kept = window.runner.kept.queue
    assert kept.document(job).node("text").values == {"text": "another"}
    assert kept.document(other).node("text").values == {"text": "two"}
    window.workspace.close(opened)
    assert rows(window)[0] == ("one", "Waiting")


def test_a_job_whose_tab_is_closed_without_saving_waits_again(qtbot, window):
    window.runner.pause(True)
    (job,) = queued(window, "one")
    opened = window.files.edit_job(window.runner.jobs.pending[0])
    assert window.runner.kept.state_of(job) is State.PAUSED
    window.workspace.close(opened)
    assert window.runner.kept.state_of(job) is State.WAITING


def test_a_job_that_began_elsewhere_is_not_overwritten(qtbot, window, home: Path):
    window.runner.pause(True)
    (job,) = queued(window, "one")
    opened = window.files.edit_job(window.runner.jobs.pending[0])
    queue = JobQueue(home)
    queue.base.do(lambda base: base.execute("UPDATE jobs SET state = 'done'"))
    opened.perform(SetValue("text", "text", "another"))
    assert not window.files.save(opened)
    assert opened.modified
    qtbot.mouseClick(bar_button(window, "Keep as a workflow of its own"), LEFT)
    assert opened.job == ""
    assert job


def test_a_database_that_cannot_be_written_does_not_keep_from_running(qtbot, open_window, home):
    (home / "queue.sqlite").mkdir()
    told = []
    window = open_window()
    window.runner.logged.connect(told.append)
    queued(window, "one")
    window.runner.active.advance()
    assert window.runner.busy
    assert any("not kept on disk" in each for each in told)


def test_a_damaged_database_is_said(open_window, home: Path):
    (home / "queue.sqlite").write_bytes(b"no database" * 1000)
    window = open_window()
    assert "was damaged" in window.area.message_bars.text("damaged queue")
    assert (home / "queue.damaged-1.sqlite").exists()


def walk(seconds: float) -> Document:
    document = Document()
    document.graph.nodes["start"] = Node("chain.start", {"text": "w"})
    document.graph.nodes["steps"] = Node("chain.steps", {"count": 12, "seconds": seconds})
    document.graph.links[Input("steps", "text")] = Output("start", "text")
    return document


def test_a_running_job_is_paused_and_goes_on_from_its_step(qtbot, open_window, home: Path):
    window = open_window(ForkedWorker, home_with_pack(home))
    qtbot.waitUntil(lambda: "chain.steps" in window.workspace.catalogue, timeout=LONG)
    window.workspace.add(OpenDocument(walk(0.1), name="walk"))
    steps: list[int] = []

    def note(arrived: list[events.Event]) -> None:
        steps.extend(each.step for each in arrived if isinstance(each, events.Progress))

    window.runner.worker.events_received.connect(note)
    assert window.runner.run(window.workspace.current, ["steps"])
    qtbot.waitUntil(lambda: len(steps) >= 3, timeout=LONG)
    window.runner.pause_job(active_run(window).job)
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=LONG)
    (job,) = window.runner.jobs.pending
    assert job.state == State.PAUSED
    assert rows(window) == [("walk", "Paused")]
    done = job.kept.model_calls
    assert 3 <= done < 12
    window.runner.resume_job(job)
    qtbot.waitUntil(lambda: bool(window.runner.jobs.ended), timeout=LONG)
    assert window.runner.kept.jobs[0].model_calls == 12
    assert window.runner.kept.jobs[0].state is State.DONE


def test_an_idle_window_asks_for_the_next_job_once(qtbot, window):
    """It asked again whenever it was told that there is none: a core was always busy."""
    said: list[None] = []
    window.runner.kept.changed.connect(lambda: said.append(None))
    window.runner.kept.changed.emit()  # as when another process has changed the queue
    for _ in range(50):
        qtbot.wait(1)
    assert len(said) <= 2  # and once as the lease is taken
