"""Works the queue off without a window: one job after another, in a worker process."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from nodeforge.engine import events
from nodeforge.engine.client import PATIENCE, WorkerClient, WorkerError, WorkerProcess, spawn_worker
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.attempt import Attempt, Outcome
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.lease import HEARTBEAT, Lease, LeaseLostError
from nodeforge.engine.queue.output_files import remove_leftovers
from nodeforge.engine.queue.states import State
from nodeforge.errors import NodeForgeError
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import SUBGRAPH
from nodeforge.settings import Settings
from nodeforge.settings.sqlite_file import DatabaseError
from nodeforge.spec import Catalogue

Spawn = Callable[[Settings, str], WorkerProcess]
_ASKED = 10
"""How often a worker is started that dies before it answers."""
_LOOK = 0.2
"""Seconds between two looks at what people want of the running job."""


class RunWatch(Protocol):
    """Is told what the runner does."""

    def started(self, job: Job, document: Document) -> None: ...

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


class QueueRunner:
    """Runs the jobs of a queue until none waits.

    Args:
        jobs: The queue.
        settings: Folders and limits; the output folder is that of jobs which name none.
        watch: Is told what happens.
        device: As `WorkerClient` has it.
        spawn: Starts the worker process.
        heartbeat: Seconds between two heartbeats.
    """

    def __init__(
        self,
        jobs: JobQueue,
        settings: Settings,
        watch: RunWatch,
        *,
        device: str = "auto",
        spawn: Spawn = spawn_worker,
        heartbeat: float = HEARTBEAT,
        title: str = "'nodeforge queue run'",
        previews: bool = False,
    ) -> None:
        self._jobs, self._settings, self._watch = jobs, settings, watch
        self._device, self._spawn = device, spawn
        self._beat_seconds, self._previews = heartbeat, previews
        self._claims = JobClaims(jobs, title)
        self._stop = threading.Event()
        self._happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self._client: WorkerClient | None = None
        self._foreign: Catalogue | None = None
        self._died_at_once = 0
        """How many workers in a row have died before they did anything."""

    def stop(self) -> None:
        """Stop after the current step; the job waits, and goes on from there next time."""
        self._stop.set()

    def run(self) -> Summary:
        """Run jobs until none waits, the queue is paused, or `stop` was called.

        Raises:
            LeaseTakenError: another process runs the queue.
            LeaseLostError: another has taken it over.
            DatabaseError: the queue can no longer be written.
        """
        for left in self._claims.acquire():
            remove_leftovers(left)
        heartbeat = Heartbeat(self._jobs, self._claims.lease, self._beat_seconds)
        patience = PATIENCE
        try:
            return self._work_off(heartbeat)
        except LeaseLostError:
            patience = 0.0
            raise
        finally:
            heartbeat.close()
            if self._client is not None:
                self._client.close(patience)
            with contextlib.suppress(DatabaseError):
                self._claims.lease.release()

    def _work_off(self, heartbeat: Heartbeat) -> Summary:
        summary = Summary()
        while not self._stop.is_set():
            job = self._claims.next()
            if job is None:
                break
            outcome = self._run_job(job, heartbeat)
            summary.states[job.id] = outcome.state
            self._watch.ended(job, outcome)
            if outcome.is_no_room:
                self._jobs.pause_queue(True)
                summary.stopped = "The disk is full: free some space, then resume the queue."
                return summary
            if self._died_at_once >= _ASKED:
                summary.stopped = "The worker ends as soon as it starts; see 'nodeforge doctor'."
                return summary
        if self._stop.is_set():
            summary.stopped = "Stopped."
        elif self._jobs.paused and any(j.state is State.WAITING for j in self._jobs.pending()):
            summary.stopped = "The queue is paused."
        return summary

    def _run_job(self, job: Job, heartbeat: Heartbeat) -> Outcome:
        settings, catalogue, previews = self._settings, self._catalogue, self._previews
        try:
            attempt = Attempt(self._claims, job, settings, catalogue, previews=previews)
        except (LeaseLostError, DatabaseError):
            raise
        except NodeForgeError as error:
            outcome = Outcome(State.FAILED, ErrorReport.of(error))
            self._claims.end(job, outcome.state, error=outcome.error)
            return outcome
        self._watch.started(attempt.job, attempt.document)
        if attempt.is_done:
            seen = attempt.handle(attempt.last_event)
            self._watch.tell(attempt.job, seen)
            return attempt.conclude(seen)
        self._worker().run(attempt.graph, attempt.request)
        return self._follow(attempt, heartbeat)

    def _follow(self, attempt: Attempt, heartbeat: Heartbeat) -> Outcome:
        run, wanted, looked = attempt.request.run, "", time.monotonic()
        heard = False
        while True:
            try:
                event = self._happened.get(timeout=_LOOK)
            except queue.Empty:
                event = None
            if event is not None and event.run == run:
                died = isinstance(event, events.WorkerDied)
                self._died_at_once = self._died_at_once + 1 if died and not heard else 0
                heard = True
                seen = attempt.handle(event)
                self._watch.tell(attempt.job, seen)
                if isinstance(seen, events.LAST):
                    return attempt.conclude(seen, wanted)
            if heartbeat.lost.is_set():
                raise LeaseLostError
            if not wanted and time.monotonic() - looked >= _LOOK:
                looked = time.monotonic()
                wanted = State.WAITING if self._stop.is_set() else self._claims.wanted(attempt.job)
                if wanted:
                    patience = PATIENCE if wanted == State.CANCELLED else None
                    self._worker().cancel(run, patience)

    def _worker(self) -> WorkerClient:
        if self._client is None:
            self._client = WorkerClient(
                self._settings, self._happened.put, self._device, self._spawn
            )
        return self._client

    def _catalogue(self, document: Document) -> Catalogue:
        """The shipped node types, or the worker's where the workflow uses others."""
        shipped = Catalogue.shipped()
        if {node.type for node in every_node(document.graph).values()} <= {*shipped, SUBGRAPH}:
            return shipped
        for attempt in range(_ASKED):
            if self._foreign is not None:
                break
            try:
                self._foreign = Catalogue.from_json(self._worker().ask("catalogue").result())
            except WorkerError:  # it has died; the next question starts another
                if attempt == _ASKED - 1:
                    raise
        assert self._foreign is not None
        return self._foreign


def with_outputs(settings: Settings, outputs: Path | None) -> Settings:
    """Settings whose output folder is `outputs`, if one is given."""
    return replace(settings, output_folder=str(outputs.absolute())) if outputs else settings
