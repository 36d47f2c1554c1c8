"""Jobs are run one after another, each ends once, and goes on from its step."""

import json
import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.queue.attempt import MOST_DEATHS
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.job import NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.lease import LeaseLostError, LeaseTakenError
from nodeforge.engine.queue.output_files import OutputFiles, free_name, remove_leftovers
from nodeforge.engine.queue.runner import QueueRunner
from nodeforge.engine.queue.states import State
from nodeforge.formats import FORMAT, write
from nodeforge.graph.document import Document
from nodeforge.settings import Settings
from support.queue_worker import (
    CALLS,
    HOOKS,
    STEPS,
    ThreadWorker,
    Watch,
    counted,
    new_job,
    run_queue,
    runner_of,
    wait_until,
)


def states(queue: JobQueue) -> list[State]:
    return [job.state for job in sorted(queue.jobs(), key=lambda job: job.position)]


def has_heard(runner: QueueRunner) -> bool:
    """Whether the worker knows that it is to stop."""
    worker = runner._workers[0].client._process
    assert isinstance(worker, ThreadWorker)
    return any(state.stop.is_set() for state in worker._server._states.values())


def texts(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in folder.glob("**/*.txt"))


def test_jobs_run_by_priority_then_in_their_order(queue: JobQueue, tmp_path: Path):
    jobs = queue.add([new_job(0), new_job(1), new_job(2, priority=1)])
    queue.move(jobs[1].id, 2)
    watch = Watch()
    summary = run_queue(queue, watch)
    assert watch.order == [jobs[2].id, jobs[1].id, jobs[0].id]
    assert summary.count(State.DONE) == 3
    assert queue.pending() == []
    files = sorted((tmp_path / "outputs").iterdir())
    assert [path.name for path in files] == ["made_00001.txt", "made_00002.txt", "made_00003.txt"]
    assert [path.read_text().split()[-1] for path in files] == watch.order
    assert queue.job(jobs[2].id).files == (files[0],)
    assert queue.job(jobs[0].id).model_calls == STEPS
    assert "saved" in Path(queue.job(jobs[0].id).log).read_text()


@pytest.mark.parametrize("size", [4, 600], ids=["small", "checkpoints over 4 MB"])
def test_a_paused_job_goes_on_from_its_step_after_a_restart(queue: JobQueue, size: int):
    (job,) = queue.add([new_job(size=size)])
    asked = threading.Event()

    def pause() -> None:
        if not asked.is_set():
            JobQueue(queue.home).pause(job.id)
            asked.set()
            wait_until(lambda: has_heard(runner))

    HOOKS["step 3"] = pause
    runner = runner_of(queue)
    assert runner.run().states == {job.id: State.PAUSED}
    assert queue.job(job.id).model_calls == 3
    assert not queue.job(job.id).files
    queue.resume(job.id)
    assert run_queue(queue).states == {job.id: State.DONE}
    assert CALLS["step"] == STEPS
    assert queue.job(job.id).attempts == 2


def test_cancelling_keeps_what_is_done_and_resuming_goes_on(queue: JobQueue):
    (job,) = queue.add([new_job()])

    def cancel() -> None:
        del HOOKS["step 2"]
        JobQueue(queue.home).cancel(job.id)
        wait_until(lambda: has_heard(runner))

    HOOKS["step 2"] = cancel
    runner = runner_of(queue)
    assert runner.run().states == {job.id: State.CANCELLED}
    queue.resume(job.id)
    assert run_queue(queue).states == {job.id: State.DONE}
    assert CALLS["step"] == STEPS


def test_a_runner_that_is_stopped_leaves_its_job_waiting(queue: JobQueue):
    first, second = queue.add([new_job(0), new_job(1)])

    def stop() -> None:
        del HOOKS["step 4"]
        runner.stop()
        wait_until(lambda: has_heard(runner))

    HOOKS["step 4"] = stop
    runner = runner_of(queue)
    summary = runner.run()
    assert summary.stopped == "Stopped."
    assert [job.id for job in queue.pending()] == [first.id, second.id]
    assert queue.holder() is None
    run_queue(queue)
    assert CALLS["step"] == 2 * STEPS


def test_a_failed_job_keeps_its_error_and_is_mended_and_resumed(queue: JobQueue):
    failing, fine = queue.add([new_job(1, failing=True), new_job(2)])
    summary = run_queue(queue)
    assert (summary.count(State.FAILED), summary.count(State.DONE)) == (1, 1)
    error = queue.job(failing.id).error
    assert error is not None
    assert error.fact == "ZeroDivisionError: no way"
    queue.edit(failing.id, write(counted(1)).decode())
    queue.resume(failing.id)
    calls = CALLS["step"]
    assert run_queue(queue).states == {failing.id: State.DONE}
    assert CALLS["step"] == calls  # its steps were done
    assert queue.job(failing.id).error is None
    with pytest.raises(Exception, match="is done"):
        queue.edit(fine.id, write(counted(3)).decode())


def test_a_worker_that_dies_costs_only_the_step(queue: JobQueue, tmp_path: Path):
    (job,) = queue.add([new_job(count=3)])

    def die(name: str) -> None:
        del HOOKS[name]
        runner._workers[0].client.kill()

    HOOKS["step 5"], HOOKS["write 2"] = lambda: die("step 5"), lambda: die("write 2")
    watch = Watch()
    runner = runner_of(queue, watch)
    summary = runner.run()
    assert summary.states == {job.id: State.DONE}
    assert len(watch.outcomes) == 3
    assert CALLS["step"] <= STEPS + 2  # at most the steps on their way to the disk
    found = texts(tmp_path / "outputs")
    assert len(found) == 3
    assert sorted(p.name for p in (tmp_path / "outputs").iterdir()) == [
        "made_00001.txt",
        "made_00002.txt",
        "made_00003.txt",
    ]


def test_a_job_that_kills_each_worker_fails_in_the_end(queue: JobQueue):
    deadly, fine = queue.add([new_job(1), new_job(2)])

    def die() -> None:
        runner._workers[0].client.kill()

    HOOKS["begin 1"] = die
    runner = runner_of(queue)
    summary = runner.run()
    assert summary.states[deadly.id] is State.FAILED
    told = queue.job(deadly.id)
    assert told.error is not None
    assert told.attempts == MOST_DEATHS
    assert f"ended {MOST_DEATHS} times" in told.error.fact
    assert summary.states[fine.id] is State.DONE


def test_a_job_that_killed_its_runner_again_and_again_is_not_begun(queue: JobQueue):
    (job,) = queue.add([new_job()])
    queue.base.do(lambda base: base.execute(f"UPDATE jobs SET deaths = {MOST_DEATHS}"))
    assert run_queue(queue).states == {job.id: State.FAILED}
    assert CALLS["step"] == 0
    queue.resume(job.id)
    assert run_queue(queue).states == {job.id: State.DONE}


def test_a_newer_format_is_an_error_of_that_job_alone(queue: JobQueue):
    first, second = queue.add([new_job(1), new_job(2)])
    text = queue.text(first.id).replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}')
    change = "UPDATE jobs SET document = ? WHERE id = ?"
    queue.base.do(lambda base: base.execute(change, (text, first.id)))
    assert run_queue(queue).states == {first.id: State.FAILED, second.id: State.DONE}
    error = queue.job(first.id).error
    assert error is not None
    assert error.kind == "NewerFormatError"
    assert queue.text(first.id) == text
    with pytest.raises(Exception, match="made with format"):
        queue.add([replace(new_job(), document=text)])


def test_an_older_format_is_migrated(queue: JobQueue):
    (job,) = queue.add([new_job()])
    raw = json.loads(queue.text(job.id)) | {"format": 1}
    change = "UPDATE jobs SET document = ?, format = 1"
    queue.base.do(lambda base: base.execute(change, (json.dumps(raw),)))
    assert run_queue(queue).states == {job.id: State.DONE}


def test_a_full_disk_pauses_the_queue_and_the_job_waits(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    first, _ = queue.add([new_job(1), new_job(2)])

    def full(part: Path, target: Path) -> bool:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("nodeforge.engine.queue.output_files.take_name", full)
        summary = run_queue(queue)
    assert summary.states == {first.id: State.WAITING}
    assert "disk is full" in summary.stopped
    assert queue.paused
    error = queue.job(first.id).error
    assert error is not None
    assert error.kind == "DiskFullError"
    queue.pause_queue(False)
    assert set(run_queue(queue).states.values()) == {State.DONE}
    assert CALLS["step"] == 2 * STEPS
    assert len(texts(tmp_path / "outputs")) == 2


def test_an_output_folder_that_cannot_be_made_fails_its_job_alone(queue: JobQueue, tmp_path: Path):
    (tmp_path / "file").touch()
    wrong = replace(new_job(1), outputs=tmp_path / "file" / "inside")
    first, second = queue.add([wrong, new_job(2)])
    assert run_queue(queue).states == {first.id: State.FAILED, second.id: State.DONE}


def test_of_two_runners_one_runs(queue: JobQueue):
    queue.add([new_job()])
    claims = JobClaims(queue, "the window")
    claims.acquire()
    with pytest.raises(LeaseTakenError, match="the window runs the queue"):
        run_queue(JobQueue(queue.home))
    claims.lease.release()
    assert run_queue(queue).count(State.DONE) == 1


def test_a_lease_is_taken_over_after_twenty_seconds(queue: JobQueue, clock, tmp_path: Path):
    queue.clock = clock
    (job,) = queue.add([new_job()])
    slept, other = JobClaims(queue, "one"), JobClaims(queue, "other")
    slept.acquire()
    running = slept.next()
    assert running is not None
    clock.now += 19
    with pytest.raises(LeaseTakenError):
        other.acquire()
    slept.lease.beat()
    clock.now += 19.9
    with pytest.raises(LeaseTakenError):
        other.acquire()
    clock.now += 0.2
    (left,) = other.acquire()
    assert left.id == job.id
    hidden = tmp_path / f".nodeforge-job-{job.id}"
    hidden.mkdir()
    remove_leftovers(replace(left, outputs=tmp_path))
    assert not hidden.exists()
    assert queue.job(job.id).state is State.WAITING
    for write_late in (slept.lease.beat, slept.next, lambda: slept.end(running, State.DONE)):
        with pytest.raises(LeaseLostError):
            write_late()
    assert queue.job(job.id).state is State.WAITING


def test_a_clock_that_was_set_back_frees_the_lease_of_a_dead_runner(queue: JobQueue, clock):
    queue.clock = clock
    JobClaims(queue, "one").acquire()
    clock.now -= 10_000
    JobClaims(queue, "other").acquire()


def test_the_lease_of_a_process_that_is_gone_is_free_at_once(queue: JobQueue):
    claims = JobClaims(queue, "one")
    claims.acquire()
    change = "UPDATE state SET value = replace(value, ?, ?) WHERE name = 'lease'"
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    values = (f'"pid": {os.getpid()}', f'"pid": {gone}')
    queue.base.do(lambda base: base.execute(change, values))
    JobClaims(queue, "other").acquire()


def test_a_runner_that_lost_its_lease_stops(queue: JobQueue):
    (job,) = queue.add([new_job()])

    def take_over() -> None:
        other = JobQueue(queue.home, lambda: queue.clock() + 100)
        JobClaims(other, "other").acquire()
        other.close()

    HOOKS["step 2"] = take_over
    with pytest.raises(LeaseLostError):
        run_queue(queue, heartbeat=0.01)
    assert queue.job(job.id).state is State.WAITING


def test_files_that_are_there_stay_and_missing_ones_are_added(queue: JobQueue, tmp_path: Path):
    (job,) = queue.add([new_job(count=4)])
    run_queue(queue)
    made = queue.job(job.id).files
    before = {path: path.stat().st_mtime_ns for path in made}
    made[2].unlink()
    (tmp_path / "outputs" / "made_00009.txt").write_text("another's")
    queue.base.do(lambda base: base.execute("UPDATE jobs SET state = 'running'"))  # not yet told
    run_queue(queue)
    assert sorted(queue.job(job.id).files) == sorted(made)
    after = {path: path.stat().st_mtime_ns for path in made}
    assert {path for path in made if before[path] != after[path]} == {made[2]}
    assert CALLS["step"] == STEPS
    assert len(list((tmp_path / "outputs").iterdir())) == 5


def test_a_reserved_name_that_another_program_took_is_not_overwritten(
    queue: JobQueue, tmp_path: Path
):
    (job,) = queue.add([new_job()])
    outputs = tmp_path / "outputs"

    def take() -> None:
        (outputs / "made_00001.txt").write_text("another's")

    HOOKS["write 0"] = take
    run_queue(queue)
    assert (outputs / "made_00001.txt").read_text() == "another's"
    assert queue.job(job.id).files == (outputs / "made_00002.txt",)


def test_names_of_two_jobs_differ_also_before_their_files_are_there(
    queue: JobQueue, tmp_path: Path
):
    first, second = queue.add([new_job(1), new_job(2)])
    claims = JobClaims(queue, "test")
    claims.acquire()
    names = []
    for job in (first, second):
        files = OutputFiles(claims, replace(job, outputs=tmp_path, attempts=1))
        files.open({})
        (files.folder / "made_00001.txt").write_text(job.id)
        wish = tmp_path / "made_00001.txt"
        names.append(files._reserved("write", 0, wish, "")[0].name)
    assert names == ["made_00001.txt", "made_00002.txt"]


@pytest.mark.parametrize(
    ("there", "wish", "expected"),
    [
        ([], "a_00001.png", "a_00001.png"),
        (["a_00007.png", "a_00008.jpg"], "a_00001.png", "a_00008.png"),
        (["notes.txt"], "notes.txt", "notes_00001.txt"),
        (["notes.txt", "notes_00001.txt"], "notes.txt", "notes_00002.txt"),
        ([], "notes.txt", "notes.txt"),
        (["a_99999.png"], "a_00001.png", "a_100000.png"),
        (["plain"], "plain", "plain_00001"),
    ],
)
def test_free_names_go_on_counting(tmp_path: Path, there, wish, expected):
    for name in there:
        (tmp_path / name).touch()
    assert free_name(tmp_path / wish, []).name == expected


def test_running_once_more_makes_a_job_of_its_own(queue: JobQueue, tmp_path: Path):
    (job,) = queue.add([new_job(3)])
    run_queue(queue)
    copy = queue.run_once_more(job.id)
    run_queue(queue)
    assert queue.job(copy.id).files != queue.job(job.id).files
    assert len(texts(tmp_path / "outputs")) == 2
    assert CALLS["step"] == STEPS


def test_the_output_folder_of_settings_is_kept_from_the_first_attempt_on(queue: JobQueue):
    (job,) = queue.add([new_job()])
    run_queue(queue)
    assert queue.job(job.id).outputs == Settings(home=queue.home).outputs


def test_events_name_files_in_their_places(queue: JobQueue, tmp_path: Path):
    queue.add([new_job()])
    watch = Watch()
    run_queue(queue, watch)
    told = [event.path for event in watch.events if isinstance(event, events.Saved)]
    assert told == [str(tmp_path / "outputs" / "made_00001.txt")]
    assert watch.events[-1].outputs == told  # pyright: ignore[reportAttributeAccessIssue]


def test_a_nodes_own_file_elsewhere_is_left_where_it_is(queue: JobQueue, tmp_path: Path):
    (job,) = queue.add([new_job()])
    claims = JobClaims(queue, "test")
    claims.acquire()
    files = OutputFiles(claims, replace(job, outputs=tmp_path, attempts=1))
    files.open({})
    own = tmp_path / "own.txt"
    own.write_text("x")
    assert files.place("write", own) == own
    assert queue.job(job.id).files == (own,)


def test_a_worker_that_cannot_start_stops_the_queue_and_costs_no_job(queue: JobQueue):
    def broken(settings: Settings, device: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(["false"], stdin=pipe, stdout=pipe, stderr=pipe)

    empty = write(Document()).decode()
    (job,) = queue.add([NewJob("empty", empty)])
    runner = QueueRunner(queue, Settings(home=queue.home), Watch(), spawn=broken)
    assert "as soon as it starts" in runner.run().stopped
    assert queue.job(job.id).state is State.WAITING
