"""Several workers share the jobs of one queue."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.queue.job import NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.placement import (
    WINDOW,
    Models,
    Placement,
    WorkersError,
    refuse_missing,
    worker_devices,
)
from nodeforge.engine.queue.runner import QueueRunner, Worker
from nodeforge.engine.queue.states import State
from nodeforge.formats import write
from nodeforge.graph.document import Document
from nodeforge.settings import Settings
from support.queue_worker import CALLS, HOOKS, STEPS, Watch, new_job, run_queue, runner_of

TWO = ("cpu", "cpu")


def saved(folder: Path) -> list[str]:
    """What files say, without the ids of their jobs."""
    return sorted(path.read_text().rsplit(" ", 1)[0] for path in folder.glob("*.txt"))


def test_two_jobs_run_at_the_same_time(queue: JobQueue, tmp_path: Path):
    jobs = queue.add([new_job(seed) for seed in range(4)])
    both = threading.Barrier(2)

    def wait_for_both() -> None:
        both.wait(20)

    HOOKS["step 1"] = wait_for_both
    watch = Watch()
    assert run_queue(queue, watch, devices=TWO).count(State.DONE) == 4
    assert watch.order == [job.id for job in jobs]
    assert set(watch.workers.values()) == {"worker 1, cpu", "worker 2, cpu"}
    assert {job.id: job.worker for job in queue.jobs()} == watch.workers
    assert CALLS["step"] == 4 * STEPS
    assert len(saved(tmp_path / "outputs")) == 4


def test_a_worker_that_is_killed_loses_nothing(queue: JobQueue, tmp_path: Path):
    queue.add([new_job(seed) for seed in range(4)])

    def kill(event: events.Event) -> None:
        if isinstance(event, events.Progress) and event.step == 4 and not killed:
            killed.append(event.run)
            runner._workers[1].client.kill()

    killed: list[str] = []
    runner = runner_of(queue, Watch(kill), devices=TWO)
    summary = runner.run()
    assert killed
    assert summary.count(State.DONE) == 4
    plain = JobQueue(tmp_path / "plain")
    plain.add([new_job(seed) for seed in range(4)])
    run_queue(plain)
    assert saved(tmp_path / "outputs") == saved(tmp_path / "plain" / "outputs")


def test_each_of_two_running_jobs_is_cancelled_alone(queue: JobQueue):
    first, second = queue.add([new_job(0), new_job(1)])
    both = threading.Barrier(2)

    def cancel() -> None:
        if both.wait(20) == 0:
            JobQueue(queue.home).cancel(first.id)

    def wait_for_it() -> None:
        cancelled.wait(20)

    cancelled = threading.Event()
    HOOKS["step 1"], HOOKS["step 2"] = cancel, wait_for_it
    runner = runner_of(queue, devices=TWO)
    heed = runner._heed

    def heed_and_tell(worker: Worker) -> None:
        heed(worker)
        if worker.wanted:
            threading.Timer(0.2, cancelled.set).start()

    runner._heed = heed_and_tell
    assert runner.run().states == {first.id: State.CANCELLED, second.id: State.DONE}


def test_no_job_begins_where_all_workers_end_at_once(queue: JobQueue):
    queue.add([NewJob("empty", write(Document()).decode())] * 2)
    say = "import sys; sys.exit('DeviceError: worker 2 has no card')"

    def broken(settings: Settings, device: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", say], stdin=pipe, stdout=pipe, stderr=pipe)

    runner = QueueRunner(queue, Settings(home=queue.home), Watch(), spawn=broken, devices=TWO)
    assert "worker 2 has no card" in runner.run().stopped
    assert len(queue.pending()) == 2


def placement(models: dict[str, str]) -> Placement:
    def models_of(job: str) -> Models:
        return frozenset({("checkpoint", models[job])})

    return Placement(models_of)


def test_a_job_goes_where_its_model_is_loaded():
    placed = placement({"a1": "a", "a2": "a", "b1": "b", "b2": "b"})
    assert placed.choose(1, ["a1", "a2", "b1", "b2"]) == "a1"
    placed.begin(1, "a1")
    assert placed.choose(2, ["a2", "b1", "b2"]) == "b1"
    placed.begin(2, "b1")
    assert placed.choose(2, ["a2", "b2"]) == "b2"
    assert placed.choose(1, ["b2", "a2"]) == "a2"
    placed.forget(1)
    assert placed.choose(1, ["b2", "a2"]) == "a2"


def test_a_job_goes_on_where_it_was_begun():
    placed = placement({"a1": "a", "a2": "a"})
    placed.begin(1, "a2")
    placed.begin(2, "a1")
    assert placed.choose(1, ["a1", "a2"]) == "a2"
    placed.forget(1)  # its memory has gone with it
    assert placed.choose(1, ["a1", "a2"]) == "a1"


def test_no_job_is_passed_over_for_ever():
    placed = placement({"b": "b", **{f"a{n}": "a" for n in range(WINDOW + 2)}})
    placed.begin(1, "a0")
    for number in range(1, WINDOW + 1):
        assert placed.choose(1, ["b", f"a{number}"]) == f"a{number}"
    assert placed.choose(1, ["b", f"a{WINDOW + 1}"]) == "b"


def test_each_worker_has_a_card_or_what_the_settings_name():
    settings = Settings()
    assert worker_devices(settings, 0) == ("auto",)
    assert worker_devices(settings, 2) == ("auto:0", "auto:1")
    assert worker_devices(settings, 2, "cuda") == ("cuda:0", "cuda:1")
    assert worker_devices(settings, 2, "cpu") == ("cpu", "cpu")
    named = replace(settings, workers=2, worker_devices=("cuda:0", "cuda:3"))
    assert worker_devices(named, 0) == ("cuda:0", "cuda:3")
    with pytest.raises(WorkersError, match="names 2 devices, and 3"):
        worker_devices(named, 3)
    with pytest.raises(WorkersError, match="cannot be started"):
        worker_devices(replace(settings, workers=0), 0)


def test_workers_without_a_device_are_refused():
    processor = {"kind": "cpu", "device": "cpu"}
    cards = [{"kind": "cuda", "device": f"cuda:{number}"} for number in range(2)]
    refuse_missing(("auto:0", "auto:1", "auto:7"), [processor])
    refuse_missing(("auto:0", "auto:1", "cuda:1", "cpu"), [*cards, processor])
    with pytest.raises(WorkersError, match="'auto:2' for worker 3; there are: cuda:0, cuda:1, cpu"):
        refuse_missing(("auto:0", "auto:1", "auto:2"), [*cards, processor])
    with pytest.raises(WorkersError, match="'cuda:0' for worker 1"):
        refuse_missing(("cuda:0", "cuda:1"), [processor])
