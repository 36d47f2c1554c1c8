"""The job queue: waiting, current and ended runs, each with a snapshot of its workflow."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from nodeforge.engine.context import RunRequest
from nodeforge.formats import graph_to_json
from nodeforge.graph.model import Graph

WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
_KEPT = 50


@dataclass
class Job:
    """One queued run of one document.

    Args:
        document: The id of the `OpenDocument` it is a run of.
        name: That document's name when it was queued.
        graph: The snapshot: ``nodes`` and ``links``.
        request: The request to the worker.
        costs: Expected seconds by node.
        auto: Whether run on change has queued it.
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

    @property
    def id(self) -> str:
        return self.request.run


def snapshot(graph: Graph) -> dict[str, Any]:
    """A deep copy of ``nodes`` and ``links`` of `graph`, as JSON."""
    return json.loads(json.dumps(graph_to_json(graph)))


def new_run_id() -> str:
    return uuid.uuid4().hex[:8]


class JobQueue(QObject):
    """Waiting jobs, the current job, and the last ended ones."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Job] = []
        self.current: Job | None = None
        self.ended: list[Job] = []
        self.paused = False
        """Whether the queue is paused."""

    def add(self, job: Job) -> None:
        self.waiting.append(job)
        self.changed.emit()

    def next(self) -> Job | None:
        """Make the first waiting job the current one."""
        if self.current is not None or self.paused or not self.waiting:
            return None
        self.current = self.waiting.pop(0)
        self.current.state, self.current.started = RUNNING, time.monotonic()
        self.changed.emit()
        return self.current

    def end(self, state: str, message: str = "") -> None:
        """End the current job."""
        job, self.current = self.current, None
        if job is not None:
            job.state, job.message = state, message
            job.seconds = time.monotonic() - job.started
            if not job.auto:
                self.ended = [job, *self.ended][:_KEPT]
        self.changed.emit()

    def pause(self, on: bool) -> None:
        """Pause or resume the queue; the current job is not stopped."""
        self.paused = on
        self.changed.emit()

    def move(self, job: Job, by: int) -> None:
        """Move a waiting job up (negative) or down."""
        if job in self.waiting:
            place = self.waiting.index(job)
            self.waiting.remove(job)
            self.waiting.insert(max(0, place + by), job)
            self.changed.emit()

    def remove(self, job: Job) -> None:
        """Remove a waiting or ended job."""
        for jobs in (self.waiting, self.ended):
            if job in jobs:
                jobs.remove(job)
        self.changed.emit()

    def clear(self) -> None:
        """Remove all waiting and ended jobs."""
        self.waiting.clear()
        self.ended.clear()
        self.changed.emit()
