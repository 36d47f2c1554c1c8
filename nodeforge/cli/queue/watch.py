"""Shows what the runner of the queue does: bars for a person, or JSON lines."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import Self

import click

from nodeforge.cli.watch import Bars, JsonLines, Watcher
from nodeforge.engine import events
from nodeforge.engine.queue.attempt import Outcome
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.states import State
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node


class QueueWatch:
    """Tells of jobs and of their runs; paths go to stdout as they are saved.

    Args:
        count: How many jobs waited at first.
        as_json: Whether stdout carries one event a line, with the job's id as ``job``.
    """

    def __init__(self, count: int, as_json: bool) -> None:
        self._count, self._as_json = count, as_json
        self._number = 0
        self._watchers: dict[str, Watcher] = {}
        """Of the jobs that run, by id."""
        self._screen: Bars | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for job in list(self._watchers):
            self._close(job)
        if self._screen is not None:
            self._screen.close()

    def started(self, job: Job, document: Document, worker: str) -> None:
        self._number += 1
        if self._as_json:
            self._say(job, State.RUNNING, worker=worker)
            self._watchers[job.id] = _JobLines(job.id)
            return
        of = f"/{self._count}" if self._number <= self._count else ""
        goes_on = ", goes on" if job.attempts > 1 else ""
        on = f", {worker}" if worker else ""
        click.echo(f"Job {self._number}{of} {job.id}: {job.name}{goes_on}{on}", err=True)
        titles = {path: node.title or path for path, node in every_node(document.graph).items()}
        if not worker:
            self._watchers[job.id] = Bars(titles)
            return
        if self._screen is None:
            self._screen = Bars({})
        self._watchers[job.id] = self._screen.beside(titles, f"{job.id} ")

    def tell(self, job: Job, event: events.Event) -> None:
        if job.id in self._watchers:
            self._watchers[job.id].tell(event)
        if isinstance(event, events.Saved) and not self._as_json:
            click.echo(event.path)
            sys.stdout.flush()

    def ended(self, job: Job, outcome: Outcome) -> None:
        self._close(job.id)
        if self._as_json:
            self._say(job, outcome.state, outcome.error)
        elif outcome.error is not None:
            told = "failed" if outcome.state is State.FAILED else "waits"
            click.echo(f"Job {job.id} {told}. {outcome.error}", err=True)
        elif outcome.state is State.WAITING:
            click.echo(f"Job {job.id} was interrupted; it goes on from its last step.", err=True)
        elif outcome.state is not State.DONE:
            click.echo(f"Job {job.id} is {outcome.state}.", err=True)

    def _close(self, job: str) -> None:
        if (watcher := self._watchers.pop(job, None)) is not None:
            watcher.close()

    def _say(
        self,
        job: Job,
        state: State,
        error: events.ErrorReport | None = None,
        worker: str = "",
    ) -> None:
        told = {"event": "job", "job": job.id, "name": job.name, "state": state}
        if error is not None:
            told["error"] = str(error)
        if worker:
            told["worker"] = worker
        click.echo(json.dumps(told))
        sys.stdout.flush()


class _JobLines(JsonLines):
    """A run's events, each with its job."""

    def __init__(self, job: str) -> None:
        self._job = job

    def _write(self, raw: dict[str, object]) -> None:
        super()._write({"job": self._job, **raw})

    def tell(self, event: events.Event) -> None:
        if isinstance(event, events.Saved):
            self._write(events.to_json(event))
        super().tell(event)
