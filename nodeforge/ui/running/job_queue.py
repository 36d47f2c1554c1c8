"""The window's jobs: those kept on disk, which survive it, and those that only it can use.

What runs on change, and what a canvas generates, is of no use without its window: such jobs are in
memory alone, and run before those that are kept.
"""

from __future__ import annotations

import json
import time
import uuid
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from nodeforge.engine.queue.job import Job as KeptJob
from nodeforge.engine.queue.states import ENDED, State
from nodeforge.engine.running.context import RunRequest
from nodeforge.formats import graph_to_json
from nodeforge.graph.model import Graph
from nodeforge.ui.running.kept_jobs import KeptJobs

WAITING, RUNNING, PAUSED = State.WAITING, State.RUNNING, State.PAUSED
DONE, FAILED, CANCELLED = State.DONE, State.FAILED, State.CANCELLED
_SHOWN = 50
"""Ended jobs that the panel shows."""


@dataclass
class Job:
    """One queued run of one document.

    Args:
        document: The id of the `OpenDocument` it is a run of; empty for jobs of the command line,
            and of a window of before.
        name: That document's name when it was queued.
        graph: The snapshot: ``nodes`` and ``links``.
        request: The request to the worker.
        costs: Expected seconds by node.
        auto: Whether run on change has queued it.
        kept: The job in the database; None for one in memory alone.
    """

    document: str
    name: str
    graph: dict[str, Any]
    request: RunRequest
    costs: dict[str, float] = field(default_factory=dict)
    auto: bool = False
    state: str = WAITING
    queued: float = field(default_factory=time.time)
    seconds: float = 0.0
    message: str = ""
    saved: list[Path] = field(default_factory=list)
    """The files that it has saved."""
    started: float = 0.0
    """`time.monotonic` when it was sent to the worker."""
    kept: KeptJob | None = None

    @property
    def id(self) -> str:
        """Names the job among those of the window."""
        return self.kept.id if self.kept is not None else self.request.run

    @property
    def is_in_group(self) -> bool:
        """Whether it is one of the jobs of a sweep or an exploration."""
        return self.kept is not None and self.kept.group is not None

    def is_of(self, document: str) -> bool:
        """Whether it is a run of a document, or of its canvas."""
        return self.document.partition("/")[0] == document


def snapshot(graph: Graph) -> dict[str, Any]:
    """A deep copy of ``nodes`` and ``links`` of `graph`, as JSON."""
    return json.loads(json.dumps(graph_to_json(graph)))


def new_run_id() -> str:
    return uuid.uuid4().hex[:8]


class JobQueue(QObject):
    """All jobs, as the window shows them.

    Args:
        kept: Those in the database.
    """

    changed = Signal()

    def __init__(self, kept: KeptJobs) -> None:
        super().__init__()
        self.kept = kept
        self.running: dict[str, Job] = {}
        """By id, the jobs that this window runs, in the order in which they began."""
        self._fleeting: list[Job] = []
        """Waiting jobs that are in memory alone."""
        self._ended_fleeting: list[Job] = []
        self._known: dict[str, Job] = {}
        """Jobs in the database, by id."""
        self.pending: list[Job] = []
        """The jobs that have not ended, in their order, the running ones first."""
        self.ended: list[Job] = []
        """The last jobs that have ended, the newest first."""
        kept.changed.connect(self._read)
        self._read()

    @property
    def paused(self) -> bool:
        """Whether the queue is paused."""
        return self.kept.paused

    @property
    def waiting(self) -> list[Job]:
        """The jobs that will run, in their order, without those that are paused or held."""
        held = self.kept.held
        return [job for job in self.pending if job.state == WAITING and job.id not in held]

    def add(self, job: Job, keep: Callable[[], KeptJob] | None = None) -> None:
        """Queue a job.

        Args:
            keep: Adds it to the database; without, it is in memory alone.
        """
        if keep is not None:
            job.kept = keep()
            self._known[job.id] = job
        else:
            self._fleeting.append(job)
        self._read()

    def next(self, worker: int = 1, title: str = "") -> Job | None:
        """Begin the job that an idle worker takes; None where there is none for it.

        Args:
            worker: Its number. The first alone takes jobs that are in memory.
            title: As `KeptJobs.begin` has it.
        """
        if self.paused:
            return None
        if self._fleeting and worker == 1:
            job = self._fleeting.pop(0)
        elif (begun := self.kept.begin(worker, title)) is not None:
            job = self._job_of(begun)
        else:
            return None
        self.running[job.id] = job
        job.state, job.started, job.message = RUNNING, time.monotonic(), ""
        self._read()
        return job

    def end(self, job: Job, state: str, message: str = "") -> None:
        """End a job that runs; what has become of a kept one is in the database."""
        del self.running[job.id]
        if job.kept is None:
            job.state, job.message = state, message
            job.seconds = time.monotonic() - job.started
            if not job.auto:
                self._ended_fleeting = [job, *self._ended_fleeting][:_SHOWN]
        self._read()

    def pause(self, on: bool) -> None:
        """Pause or resume the queue; what runs is not stopped."""
        self.kept.pause_queue(on)
        self._read()

    def move(self, job: Job, by: int) -> None:
        """Move a waiting job up (negative) or down."""
        order = [each for each in self.pending if each.state != RUNNING]
        if job in order:
            self.move_to(job, order.index(job) + by)

    def move_to(self, job: Job, place: int) -> None:
        """Move a job that waits or is paused to a place among these, counted from 0."""
        if job in self._fleeting:
            self._fleeting.remove(job)
            self._fleeting.insert(max(0, place), job)
        elif job.kept is not None:
            self.kept.move(job.id, place + 1 - len(self._fleeting))
        self._read()

    def remove(self, job: Job) -> None:
        """Remove a job that does not run."""
        for jobs in (self._fleeting, self._ended_fleeting):
            if job in jobs:
                jobs.remove(job)
        if job.kept is not None:
            self.kept.remove(job.id)
        self._read()

    def clear(self) -> None:
        """Remove the jobs that have ended."""
        self._ended_fleeting.clear()
        self.kept.remove_ended()
        self._read()

    def cancel_waiting(self) -> None:
        """Cancel all jobs that have not ended, but for those that run."""
        self._fleeting.clear()
        kept = [job.id for job in self.pending if job.kept and job.id not in self.running]
        self.kept.cancel_all(kept)
        self._read()

    def shown(self, kept: KeptJob) -> Job:
        """The window's job of one in the database."""
        return self._job_of(kept)

    def _job_of(self, kept: KeptJob) -> Job:
        """The window's job of one in the database, as that is now."""
        job = self._known.get(kept.id)
        if job is None:
            request = RunRequest(kept.id, list(kept.targets), outputs=kept.outputs or Path())
            job = self._known[kept.id] = Job("", kept.name, {}, request, queued=kept.queued)
        elif job.kept is kept and job.id not in self.running and job.state == kept.state:
            return job
        job.kept, job.saved = kept, list(kept.files) or job.saved
        if job.id not in self.running:
            job.state, job.seconds = kept.state, kept.seconds
            job.message = kept.error.fact if kept.error is not None else ""
        return job

    def _read(self) -> None:
        first_ended = bisect_left(self.kept.jobs, True, key=lambda job: job.state in ENDED)
        # more of them than are shown are not looked at: a grid has hundreds
        kept = [self._job_of(each) for each in self.kept.jobs[: first_ended + _SHOWN + 1]]
        others = [job for job in kept if job.id not in self.running]
        waiting = [job for job in others if job.state not in ENDED]
        self.pending = [*self.running.values(), *self._fleeting, *waiting]
        ended = [job for job in others if job.state in ENDED]
        together = [*self._ended_fleeting, *ended]
        self.ended = sorted(together, key=_ended_at, reverse=True)[:_SHOWN]
        self._known = {job.id: job for job in kept}
        self.changed.emit()


def _ended_at(job: Job) -> float:
    if job.kept is not None:
        return job.kept.ended or 0.0
    return job.queued + job.seconds
