"""Works the queue off without a window: each worker process runs one job after another."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.attempt import Attempt, Outcome
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.dispatcher import Dispatcher
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.lease import HEARTBEAT, Lease, LeaseLostError
from nodeforge.engine.queue.output_files import remove_leftovers
from nodeforge.engine.queue.placement import Spawn, check_devices, spawn_beside, worker_title
from nodeforge.engine.queue.states import State
from nodeforge.engine.remote import Client, open_worker
from nodeforge.engine.worker_client.client import PATIENCE, WorkerError, told_end
from nodeforge.errors import NodeForgeError
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import SUBGRAPH
from nodeforge.settings import Settings
from nodeforge.settings.sqlite_file import DatabaseError
from nodeforge.spec import Catalogue

_ASKED = 10
"""How often a worker is started that dies before it answers."""
_LOOK = 0.2
"""Seconds between two looks at what people want of the running job."""


class RunWatch(Protocol):
    """Is told what the runner does."""

    def started(self, job: Job, document: Document, worker: str) -> None:
        """`worker` names one of several: ``worker 2, cuda:1``; empty where there is one."""
        ...

    def tell(self, job: Job, event: events.Event) -> None: ...

    def ended(self, job: Job, outcome: Outcome) -> None: ...


@dataclass
class Summary:
    """What a runner has done.

    Args:
        states: The last state of each job that it has run, by id.
        stopped: Why it ended before the queue was empty; empty where it did not.
    """

    states: dict[str, State] = field(default_factory=dict)
    stopped: str = ""

    def count(self, state: State) -> int:
        return sum(each is state for each in self.states.values())


class Heartbeat:
    """Keeps the lease, in a thread of its own.

    Args:
        home: Where the queue is.
        lease: The lease that is held.
        seconds: Between two heartbeats.
    """

    def __init__(self, queue_: JobQueue, lease: Lease, seconds: float = HEARTBEAT) -> None:
        self._of, self._held, self._seconds = queue_, lease, seconds
        self._end = threading.Event()
        self.lost = threading.Event()
        """Whether another process has taken the lease over."""
        self._thread = threading.Thread(target=self._run, name="queue-heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        own = JobQueue(self._of.home, self._of.clock, taken_over=self._of.taken_over)
        lease = self._held.copy(own.base)
        while not self._end.wait(self._seconds):
            try:
                lease.beat()
            except LeaseLostError:
                self.lost.set()
                break
            except DatabaseError:
                continue  # a disk that is full may have room again in time
        own.close()


@dataclass
class Worker:
    """One of the workers among which the jobs are shared out.

    Args:
        number: Counted from 1.
        client: Its process, which starts with the first job.
        attempt: What it runs; None while it is idle.
        wanted: The state that people want of that job; empty where it may run on.
        heard: Whether the process has said anything about it.
        died_at_once: How often in a row it has died before it did anything.
        end: How it did so last.
    """

    number: int
    client: Client
    attempt: Attempt | None = None
    wanted: str = ""
    heard: bool = False
    died_at_once: int = 0
    end: str = ""

    @property
    def is_of_use(self) -> bool:
        """Whether it has not died again and again as soon as it started."""
        return self.died_at_once < _ASKED


class QueueRunner:
    """Runs the jobs of a queue until none waits.

    Args:
        jobs: The queue.
        settings: Folders and limits; the output folder is that of jobs which name none.
        watch: Is told what happens.
        devices: Of each worker, as `WorkerClient` has it.
        spawn: Starts a worker process.
        heartbeat: Seconds between two heartbeats.
    """

    def __init__(
        self,
        jobs: JobQueue,
        settings: Settings,
        watch: RunWatch,
        *,
        devices: Sequence[str] = ("auto",),
        spawn: Spawn | None = None,
        heartbeat: float = HEARTBEAT,
        title: str = "'nodeforge queue run'",
        previews: bool = False,
    ) -> None:
        self._jobs, self._settings, self._watch = jobs, settings, watch
        self._beat_seconds, self._previews = heartbeat, previews
        self._claims = JobClaims(jobs, title)
        self._stop = threading.Event()
        self._happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        start, tell = spawn or spawn_beside(len(devices)), self._happened.put
        self._devices = devices
        self._workers = [
            Worker(number, open_worker(settings, tell, device, start))
            for number, device in enumerate(devices, 1)
        ]
        self._dispatcher = Dispatcher(self._claims)
        self._foreign: Catalogue | None = None

    def stop(self) -> None:
        """Stop after the current steps; the jobs wait, and go on from there next time."""
        self._stop.set()

    def run(self) -> Summary:
        """Run jobs until none waits, the queue is paused, or `stop` was called.

        Raises:
            LeaseTakenError: another process runs the queue.
            LeaseLostError: another has taken it over.
            DatabaseError: the queue can no longer be written.
            WorkersError: there is no device for one of several workers.
        """
        for left in self._claims.acquire():
            remove_leftovers(left)
        heartbeat = Heartbeat(self._jobs, self._claims.lease, self._beat_seconds)
        patience = PATIENCE
        try:
            check_devices([worker.client for worker in self._workers], self._devices)
            return self._work_off(heartbeat)
        except LeaseLostError:
            patience = 0.0
            raise
        finally:
            heartbeat.close()
            for worker in self._workers:
                worker.client.close(patience)
            with contextlib.suppress(DatabaseError):
                self._claims.lease.release()

    def _work_off(self, heartbeat: Heartbeat) -> Summary:
        summary = Summary()
        looked = time.monotonic()
        self._begin_jobs(summary)
        while busy := [worker for worker in self._workers if worker.attempt is not None]:
            ended = self._hear(summary)
            if heartbeat.lost.is_set():
                raise LeaseLostError
            if time.monotonic() - looked >= _LOOK:
                looked = time.monotonic()
                for worker in busy:
                    self._heed(worker)
            elif not ended:
                continue
            self._begin_jobs(summary)
        if summary.stopped:
            return summary
        if self._stop.is_set():
            summary.stopped = "Stopped."
        elif self._jobs.paused and any(j.state is State.WAITING for j in self._jobs.pending()):
            summary.stopped = "The queue is paused."
        return summary

    def _begin_jobs(self, summary: Summary) -> None:
        """Give a job to each worker that has none, as long as there are any."""
        for worker in self._workers:
            while worker.attempt is None and worker.is_of_use:
                if self._stop.is_set() or summary.stopped:
                    return
                title = self._name_of(worker)
                if len(self._workers) > 1:
                    job = self._dispatcher.next(worker.number, title)
                else:
                    job = self._claims.next(worker=title)
                if job is None:
                    return
                outcome = self._begin(worker, job)
                if outcome is not None:
                    self._conclude(summary, job, outcome)

    def _name_of(self, worker: Worker) -> str:
        """What one of several workers is called; empty where there is one, on this machine."""
        device = self._devices[worker.number - 1]
        if len(self._workers) > 1:
            return worker_title(worker.number, device)
        return worker.client.machine

    def _begin(self, worker: Worker, job: Job) -> Outcome | None:
        """Have a worker run a job; gives its end where there is nothing to be run."""
        settings, catalogue, previews = self._settings, self._catalogue, self._previews
        try:
            attempt = Attempt(self._claims, job, settings, catalogue, previews=previews)
        except (LeaseLostError, DatabaseError):
            raise
        except NodeForgeError as error:
            outcome = Outcome(State.FAILED, ErrorReport.of(error))
            self._claims.end(job, outcome.state, error=outcome.error)
            return outcome
        if name := self._name_of(worker):
            attempt.log.write(name)
        self._watch.started(attempt.job, attempt.document, name)
        if attempt.is_done:
            seen = attempt.handle(attempt.last_event)
            self._watch.tell(attempt.job, seen)
            return attempt.conclude(seen)
        worker.attempt, worker.wanted, worker.heard = attempt, "", False
        worker.client.run(attempt.graph, attempt.request)
        return None

    def _hear(self, summary: Summary) -> bool:
        """Take note of the next event; whether a job has ended by it."""
        try:
            event = self._happened.get(timeout=_LOOK)
        except queue.Empty:
            return False
        for worker in self._workers:
            attempt = worker.attempt
            if attempt is None or event.run != attempt.request.run:
                continue
            if isinstance(event, events.WorkerDied):
                worker.died_at_once = 0 if worker.heard else worker.died_at_once + 1
                worker.end = told_end(event.exit_code, event.last_words)
                self._dispatcher.forget(worker.number)
            else:
                worker.died_at_once = 0
            worker.heard = True
            seen = attempt.handle(event)
            self._watch.tell(attempt.job, seen)
            if isinstance(seen, events.LAST):
                outcome = attempt.conclude(seen, worker.wanted)
                worker.attempt = None
                self._conclude(summary, attempt.job, outcome)
                return True
        return False

    def _conclude(self, summary: Summary, job: Job, outcome: Outcome) -> None:
        summary.states[job.id] = outcome.state
        self._watch.ended(job, outcome)
        if outcome.is_no_room:
            self._jobs.pause_queue(True)
            summary.stopped = "The disk is full: free some space, then resume the queue."
        elif not any(worker.is_of_use for worker in self._workers):
            end = self._workers[0].end
            summary.stopped = (
                f"The worker ends as soon as it starts, with {end}; see 'nodeforge doctor'."
            )

    def _heed(self, worker: Worker) -> None:
        """Stop a worker's job where people want that."""
        if worker.attempt is None or worker.wanted:
            return
        stopped = self._stop.is_set()
        worker.wanted = State.WAITING if stopped else self._claims.wanted(worker.attempt.job)
        if worker.wanted:
            patience = PATIENCE if worker.wanted == State.CANCELLED else None
            worker.client.cancel(worker.attempt.request.run, patience)

    def _catalogue(self, document: Document) -> Catalogue:
        """The shipped node types, or the worker's where the workflow uses others."""
        shipped = Catalogue.shipped()
        if {node.type for node in every_node(document.graph).values()} <= {*shipped, SUBGRAPH}:
            return shipped
        for attempt in range(_ASKED):
            if self._foreign is not None:
                break
            try:
                answer = self._workers[0].client.ask("catalogue").result()
                self._foreign = Catalogue.from_json(answer)
            except WorkerError:  # it has died; the next question starts another
                if attempt == _ASKED - 1:
                    raise
        assert self._foreign is not None
        return self._foreign


def with_outputs(settings: Settings, outputs: Path | None) -> Settings:
    """Settings whose output folder is `outputs`, if one is given."""
    return replace(settings, output_folder=str(outputs.absolute())) if outputs else settings
