"""The window's side of the queue on disk: what is in it, and the lease to run it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.engine.events import LAST, ErrorReport, Event
from nodeforge.engine.queue.attempt import Attempt, Outcome
from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.dispatcher import Dispatcher
from nodeforge.engine.queue.estimates import Expected, expected_times
from nodeforge.engine.queue.job import Job, NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.lease import Holder, LeaseLostError, LeaseTakenError
from nodeforge.engine.queue.output_files import remove_leftovers
from nodeforge.engine.queue.queue_reader import shown_order
from nodeforge.engine.queue.runner import Heartbeat
from nodeforge.engine.queue.states import PENDING, State
from nodeforge.engine.sweeps.jobs import set_star
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue

T = TypeVar("T")
LOOK = 500
"""Milliseconds between two looks at what other processes have done."""


class KeptJobs(QObject):
    """The jobs in the database, read again when they change.

    While the window holds the lease it runs them. Jobs that an earlier window has left are held
    until the person lets them go on.

    Args:
        settings: Where the queue is.
    """

    changed = Signal()
    failed = Signal(str)
    """What could not be done; the queue is as it was."""
    wanted = Signal(str, str)
    """A running job's id, and the state that another process wants of it."""
    lost = Signal()
    """Another process has taken the lease over."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.queue = JobQueue(settings.home)
        self.jobs: list[Job] = []
        """Those that have not ended first."""
        self.paused = False
        self.held: set[str] = set()
        """Ids of jobs of before that do not start by themselves."""
        self.holder: Holder | None = None
        """The process that runs the queue, where it is another."""
        self.running: dict[str, Attempt] = {}
        """By id, what is asked for the jobs that run here."""
        self._claims = JobClaims(self.queue, "the window")
        self.dispatcher = Dispatcher(self._claims)
        self._heartbeat: Heartbeat | None = None
        self._version = -1
        self._durations: dict[str, float] = {}
        self._told = ""
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._look)
        self._own: set[str] = set()
        """Ids of jobs that this window has queued."""
        self.read()
        self._acquire()
        self._timer.start()

    @property
    def is_runner(self) -> bool:
        """Whether this window runs the jobs."""
        return self._heartbeat is not None

    @property
    def moved_aside(self) -> str:
        """Where a damaged database has been moved; empty where none was."""
        return str(self.queue.moved_aside or "")

    def expected(self, left: Mapping[str, float], workers: int) -> dict[str, Expected]:
        """When each job is expected to run, by id.

        Args:
            left: Seconds that running jobs still need, by id, where they are known.
            workers: How many run at a time.
        """
        pending = [job for job in self.jobs if job.state in PENDING and job.id not in self.held]
        now = self.queue.clock()
        return expected_times(pending, self._durations, now, left=left, workers=workers)

    def add(self, new: NewJob) -> Job:
        """Queue a job.

        Raises:
            NodeForgeError: the queue is full, or cannot be written.
        """
        (job,) = self.add_all([new])
        return job

    def add_all(self, new: Sequence[NewJob]) -> list[Job]:
        """Queue jobs, all or none.

        Raises:
            NodeForgeError: the queue is full, or cannot be written.
        """
        jobs = self.queue.add(new)
        self._own.update(job.id for job in jobs)
        self.read()
        return jobs

    def begin(self, worker: int = 1, title: str = "") -> Job | None:
        """Begin the job that a worker takes; None where none waits, or others run them.

        Args:
            worker: Its number.
            title: What it is called; empty for the only one, which takes the first that waits.
        """
        if not self.is_runner:
            return None
        job = self._tried(
            lambda: (
                self.dispatcher.next(worker, title, self.held)
                if title
                else self._claims.next(self.held)
            )
        )
        if job is not None:  # else nothing has changed, and saying so would ask for the next again
            self.read_one(job.id)
        return job

    def attempt(
        self, job: Job, settings: Settings, catalogue: Catalogue, previews: bool
    ) -> Attempt:
        """What is asked of the worker for a job that was begun.

        Raises:
            NodeForgeError: it cannot be run; it has not ended yet (`give_up`).
        """
        made = Attempt(self._claims, job, settings, lambda document: catalogue, previews=previews)
        if job.worker:
            made.log.write(job.worker)
        self.running[job.id] = made
        return made

    def follow(self, attempt: Attempt, event: Event, wanted: str) -> tuple[Event, Outcome | None]:
        """An event with files in their places, and what the last of a run means for its job."""

        def follow() -> tuple[Event, Outcome | None]:
            seen = attempt.handle(event)
            if not isinstance(seen, LAST):
                return seen, None
            self.running.pop(attempt.job.id, None)
            return seen, attempt.conclude(seen, wanted)

        return self._tried(follow) or (event, None)

    def give_up(self, job: Job, error: NodeForgeError) -> None:
        """End a job whose attempt could not begin."""
        report = ErrorReport.of(error)
        self._tried(lambda: self._claims.end(job, State.FAILED, error=report))
        self.read()

    def release_all(self) -> None:
        """Let the jobs of before go on."""
        self.held.clear()
        self.changed.emit()

    def pause(self, job_id: str) -> None:
        self._do(lambda: self.queue.pause(job_id))

    def resume(self, job_id: str) -> None:
        self.held.discard(job_id)
        if any(job.id == job_id and job.state is State.WAITING for job in self.jobs):
            self.changed.emit()
        else:
            self._own.add(job_id)
            self._do(lambda: self.queue.resume(job_id))

    def resume_all(self, ids: Collection[str]) -> None:
        """Have those of some jobs wait again that are held, paused, failed or cancelled."""
        self.held.difference_update(ids)
        self._own.update(ids)
        self._do(lambda: self.queue.resume_all(ids))

    def cancel(self, job_id: str) -> None:
        self._do(lambda: self.queue.cancel(job_id))

    def cancel_all(self, among: Collection[str]) -> None:
        """Cancel those of some jobs that have not ended."""
        self._do(lambda: self.queue.cancel_all(among))

    def move(self, job_id: str, position: int) -> None:
        self._do(lambda: self.queue.move(job_id, max(1, position)))

    def set_priority(self, job_id: str, priority: int) -> None:
        self._do(lambda: self.queue.set_priority(job_id, priority))

    def set_star(self, job_id: str, on: bool) -> None:
        """Have the queue keep that a candidate was chosen, or is no longer."""
        self._tried(lambda: set_star(self.queue, job_id, on))
        self.read_one(job_id)

    def run_once_more(self, job_id: str) -> None:
        made = self._tried(lambda: self.queue.run_once_more(job_id))
        if made is not None:
            self._own.add(made.id)
        self.read()

    def remove(self, job_id: str) -> None:
        self._do(lambda: self.queue.remove(job_id))

    def remove_ended(self) -> None:
        self._do(self.queue.remove_ended)

    def pause_queue(self, on: bool) -> None:
        self._do(lambda: self.queue.pause_queue(on))

    def edit(self, job_id: str, document: str) -> bool:
        """Give a job another workflow; returns whether that could be done."""
        return self._do(lambda: self.queue.edit(job_id, document)) is not None

    def pinned_assets(self) -> set[str]:
        """SHA-256 of the assets that jobs need; see `JobQueue.pinned_assets`."""
        return self._tried(self.queue.pinned_assets) or set()

    def state_of(self, job_id: str) -> State | None:
        """The state of a job; None for one that is gone."""
        return next((job.state for job in self.jobs if job.id == job_id), None)

    def read(self) -> None:
        """Read the jobs again."""
        jobs = self._tried(self.queue.jobs)
        if jobs is None:
            return
        self.jobs, self.paused = jobs, bool(self._tried(lambda: self.queue.paused))
        self._durations = self._tried(self.queue.durations) or {}
        self._version = self._tried(self.queue.changes) or 0
        self._tell()

    def read_one(self, job_id: str) -> None:
        """Read a job again, which alone has changed; all, where another process was at work.

        A long queue takes 10 ms to be read, and two reads a job.
        """
        if self._tried(self.queue.changes) != self._version:
            self.read()
            return
        job = self._tried(lambda: self.queue.job(job_id))
        if job is None:
            return
        others = [each for each in self.jobs if each.id != job_id]
        self.jobs = sorted([*others, job], key=shown_order)
        self._durations = self._tried(self.queue.durations) or {}
        self._tell()

    def _tell(self) -> None:
        if self.held:
            self.held &= {job.id for job in self.jobs if job.state is State.WAITING}
        self.changed.emit()

    def close(self) -> None:
        """Give the lease back; the jobs that run wait, and go on next time."""
        self._timer.stop()
        if self._heartbeat is not None:
            self._heartbeat.close()
            self._heartbeat = None
        with contextlib.suppress(NodeForgeError):
            for attempt in reversed(self.running.values()):  # each becomes the first that waits
                attempt.interrupt()
            self._claims.lease.release()
        self.queue.close()

    def _acquire(self) -> None:
        """Take the lease, if nobody has it."""
        try:
            for left in self._claims.acquire():
                remove_leftovers(left)
        except LeaseTakenError as error:
            self.holder = error.holder
        except NodeForgeError as error:
            self._say(error)
        else:
            self.holder = None
            self._heartbeat = Heartbeat(self.queue, self._claims.lease)
            self.read()
            waiting = {job.id for job in self.jobs if job.state is State.WAITING}
            self.held |= waiting - self._own
            self.changed.emit()

    def _look(self) -> None:
        if self._heartbeat is not None and self._heartbeat.lost.is_set():
            self._lose()
        if self._heartbeat is None:
            self._acquire()
        version = self._tried(self.queue.changes)
        if version is not None and version != self._version:
            self.read()
        for job in self.jobs:
            if job.wanted and job.id in self.running:
                self.wanted.emit(job.id, job.wanted)

    def _lose(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.close()
            self._heartbeat = None
        self.running.clear()
        self.lost.emit()

    def _do(self, work: Callable[[], T]) -> T | None:
        made = self._tried(work)
        self.read()
        return made

    def _tried(self, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except LeaseLostError:
            self._lose()
        except NodeForgeError as error:
            self._say(error)
        return None

    def _say(self, error: NodeForgeError) -> None:
        """Say what is wrong, once while it stays so."""
        if str(error) != self._told:
            self._told = str(error)
            self.failed.emit(self._told)
