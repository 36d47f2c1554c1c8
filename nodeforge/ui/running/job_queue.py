"""Runs that wait, run and have ended; each with the workflow as it was when it was queued."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from nodeforge.engine.context import RunRequest
from nodeforge.formats import graph_to_json
from nodeforge.graph.model import Graph

WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
_KEPT = 50


@dataclass
class Job:
    """One run of one document.

    Args:
        document: The id of the `OpenDocument` it is a run of.
        name: That document's name when it was queued.
        graph: The snapshot: ``nodes`` and ``links``.
        request: What is asked of the worker.
        costs: Node to the seconds it is expected to take.
        auto: It was queued by an edit, and is worth nothing after the next one.
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
    started: float = 0.0
    """`time.monotonic` when it was sent to the worker."""

    @property
    def id(self) -> str:
        return self.request.run


def snapshot(graph: Graph) -> dict[str, Any]:
    """``nodes`` and ``links`` of `graph` as they are now: later edits do not reach it."""
    return json.loads(json.dumps(graph_to_json(graph)))


def new_run_id() -> str:
    return uuid.uuid4().hex[:8]


class JobQueue(QObject):
    """The queue, the run in hand, and the last that have ended."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Job] = []
        self.current: Job | None = None
        self.ended: list[Job] = []
        self.paused = False
        """Whether runs that wait go on waiting."""

    def add(self, job: Job) -> None:
        self.waiting.append(job)
        self.changed.emit()

    def next(self) -> Job | None:
        """Take the first that waits as the current one."""
        if self.current is not None or self.paused or not self.waiting:
            return None
        self.current = self.waiting.pop(0)
        self.current.state, self.current.started = RUNNING, time.monotonic()
        self.changed.emit()
        return self.current

    def end(self, state: str, message: str = "") -> None:
        """The current run has ended."""
        job, self.current = self.current, None
        if job is not None:
            job.state, job.message = state, message
            job.seconds = time.monotonic() - job.started
            if not job.auto:
                self.ended = [job, *self.ended][:_KEPT]
        self.changed.emit()

    def pause(self, on: bool) -> None:
        """Let runs wait, or go on; the run in hand is not stopped."""
        self.paused = on
        self.changed.emit()

    def move(self, job: Job, by: int) -> None:
        """Let a waiting run come earlier (negative) or later."""
        if job in self.waiting:
            place = self.waiting.index(job)
            self.waiting.remove(job)
            self.waiting.insert(max(0, place + by), job)
            self.changed.emit()

    def remove(self, job: Job) -> None:
        """Take a run that waits, or has ended, off the list."""
        for jobs in (self.waiting, self.ended):
            if job in jobs:
                jobs.remove(job)
        self.changed.emit()

    def clear(self) -> None:
        """Take all that wait or have ended off the list."""
        self.waiting.clear()
        self.ended.clear()
        self.changed.emit()
