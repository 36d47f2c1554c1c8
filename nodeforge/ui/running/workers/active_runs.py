"""Gives idle workers jobs, and takes note of what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.attempt import Attempt, Outcome
from nodeforge.engine.queue.states import State
from nodeforge.errors import NodeForgeError
from nodeforge.ui.running.job_queue import Job, JobQueue
from nodeforge.ui.running.workers.active_run import ActiveRun
from nodeforge.ui.running.workers.pool import PoolWorker, WorkerPool


class ActiveRuns(QObject):
    """The jobs that run, each on one of the workers.

    Args:
        jobs: Where they come from.
        workers: Who runs them.
        attempt_of: What is asked of a worker for a kept job, as `KeptJobs.attempt` gives it.
    """

    began = Signal(object)
    """An `ActiveRun`, before it is sent to its worker."""
    refused = Signal(object, object)
    """A kept job that could not begin, and the `ErrorReport`."""
    happened = Signal(object, object)
    """An `ActiveRun` and an event of it, the last included."""
    ended = Signal(object, object, object)
    """An `ActiveRun`, its last event and, of a kept job, its `Outcome`; the next has begun."""
    taken = Signal(object)
    """An `ActiveRun` whose job another process runs now."""
    worker_died = Signal(object, object, object)
    """The same as `ended`, where the worker has died."""

    def __init__(
        self, jobs: JobQueue, workers: WorkerPool, attempt_of: Callable[[Job], Attempt]
    ) -> None:
        super().__init__()
        self._jobs, self._kept, self._workers = jobs, jobs.kept, workers
        self._attempt_of = attempt_of
        self.runs: dict[str, ActiveRun] = {}
        """By the id that their events carry, in the order in which they began."""
        self._went_back: set[str] = set()
        """Ids of jobs that have gone back into the queue since one of several workers died."""
        workers.events_received.connect(self.handle)
        workers.ready.connect(self.advance)
        workers.ended.connect(lambda worker: self._kept.dispatcher.forget(worker.number))
        self._kept.changed.connect(lambda: QTimer.singleShot(0, self, self.advance))
        self._kept.wanted.connect(self._on_wanted)
        self._kept.lost.connect(self._on_lost)

    def of(self, job: Job) -> ActiveRun | None:
        """What runs a job; None where it does not run."""
        return next((run for run in self.runs.values() if run.job.id == job.id), None)

    def go_on(self) -> None:
        """Have workers that have died take jobs again, as a person wants something."""
        for worker in self._workers.all:
            worker.is_halted = False
        self.advance()

    def forgive(self, job_id: str) -> None:
        """A job under which a worker has died is resumed by a person."""
        self._went_back.discard(job_id)

    def advance(self) -> None:
        """Give each idle worker a job, as long as there are any."""
        if self._workers.is_several and self._jobs.waiting:
            self._workers.start()
        for worker in self._workers.idle():
            title = self._workers.title(worker)
            while worker.run is None and (job := self._jobs.next(worker.number, title)) is not None:
                self._begin(worker, job)
            if worker.run is None:  # what this one does not take, the next does not either
                return

    def handle(self, arrived: list[events.Event]) -> None:
        """Take note of events of the workers."""
        for event in arrived:
            run = self.runs.get(event.run)
            if run is None:
                continue
            outcome: Outcome | None = None
            if run.attempt is not None:
                event, outcome = self._kept.follow(run.attempt, event, self._wanted(run, event))
                if event.run not in self.runs:  # the lease was lost
                    continue
            self.happened.emit(run, event)
            if isinstance(event, events.LAST):
                self._conclude(run, event, outcome)

    def _begin(self, worker: PoolWorker, job: Job) -> None:
        """Send a job to a worker, or say why it cannot be."""
        attempt: Attempt | None = None
        if job.kept is not None:
            try:
                attempt = self._attempt_of(job)
            except NodeForgeError as error:
                self._kept.give_up(job.kept, error)
                self._jobs.end(job, State.FAILED, error.fact)
                self.refused.emit(job, ErrorReport.of(error))
                return
        run = worker.run = ActiveRun(job, worker, attempt)
        self.runs[run.id] = run
        self.began.emit(run)
        if attempt is not None and attempt.is_done:
            QTimer.singleShot(0, self, partial(self.handle, [attempt.last_event]))
        else:
            run.send()

    def _wanted(self, run: ActiveRun, event: events.Event) -> str:
        """The state that a kept job is to have if an event is its last; empty for what follows.

        A job under which one of several workers has died before is paused, so that it does not
        end one after another.
        """
        match event:
            case events.RunCancelled():
                return run.wanted or State.CANCELLED
            case events.WorkerDied() if run.job.id in self._went_back:
                return run.wanted or State.PAUSED
            case _:
                return run.wanted

    def _conclude(self, run: ActiveRun, event: events.Event, outcome: Outcome | None) -> None:
        if outcome is not None and outcome.is_no_room:
            self._kept.pause_queue(True)
        died = isinstance(event, events.WorkerDied)
        if died:
            self._lose_worker(run, outcome)
        else:
            self._went_back.discard(run.job.id)
        self._end(run, *_end_of(run, event, outcome))
        (self.worker_died if died else self.ended).emit(run, event, outcome)

    def _lose_worker(self, run: ActiveRun, outcome: Outcome | None) -> None:
        """Have the worker start again, or wait for a word of a person.

        The jobs of a group go on: one that ends the worker again and again fails in the end.
        """
        several, job = self._workers.is_several, run.job
        self._workers.lose(run.worker)
        run.worker.is_halted = job.kept is None or not (several or job.is_in_group)
        went_back = outcome is not None and outcome.state is State.WAITING
        if several and went_back and not job.is_in_group:
            self._went_back.add(job.id)

    def _end(self, run: ActiveRun, state: str, message: str = "") -> None:
        del self.runs[run.id]
        if run.job.kept is not None:
            self._kept.read_one(run.job.id)
        self._jobs.end(run.job, state, message)
        self._workers.release(run.worker)
        self.advance()

    def _on_wanted(self, job_id: str, state: str) -> None:
        """Another process has asked for a job that runs here to stop."""
        for run in self.runs.values():
            if run.job.id == job_id:
                run.leave(State(state))

    def _on_lost(self) -> None:
        """Another process runs the queue now, and has the jobs that are kept."""
        for run in [run for run in self.runs.values() if run.job.kept is not None]:
            run.worker.connection.cancel(run.id)
            self._end(run, run.wanted or State.WAITING)
            self.taken.emit(run)


def _end_of(run: ActiveRun, event: events.Event, outcome: Outcome | None) -> tuple[str, str]:
    """The state of a run after its last event, and a message."""
    if isinstance(event, events.WorkerDied):
        return outcome.state if outcome is not None else State.FAILED, "the worker ended"
    if isinstance(event, events.RunCancelled):
        return run.wanted or State.CANCELLED, ""
    error = event.error if isinstance(event, events.Failed) else outcome and outcome.error
    return (State.FAILED, error.fact) if error else (State.DONE, "")
