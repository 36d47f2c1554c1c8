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
        self._watcher: Watcher | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._close()

    def started(self, job: Job, document: Document) -> None:
        self._close()
        self._number += 1
        if self._as_json:
            self._say(job, State.RUNNING)
            self._watcher = _JobLines(job.id)
            return
        of = f"/{self._count}" if self._number <= self._count else ""
        goes_on = ", goes on" if job.attempts > 1 else ""
        click.echo(f"Job {self._number}{of} {job.id}: {job.name}{goes_on}", err=True)
        titles = {path: node.title or path for path, node in every_node(document.graph).items()}
        self._watcher = Bars(titles)

    def tell(self, job: Job, event: events.Event) -> None:
        if self._watcher is not None:
            self._watcher.tell(event)
        if isinstance(event, events.Saved) and not self._as_json:
            click.echo(event.path)
            sys.stdout.flush()

    def ended(self, job: Job, outcome: Outcome) -> None:
        self._close()
        if self._as_json:
            self._say(job, outcome.state, outcome.error)
        elif outcome.error is not None:
            told = "failed" if outcome.state is State.FAILED else "waits"
            click.echo(f"Job {job.id} {told}. {outcome.error}", err=True)
        elif outcome.state is State.WAITING:
            click.echo(f"Job {job.id} was interrupted; it goes on from its last step.", err=True)
        elif outcome.state is not State.DONE:
            click.echo(f"Job {job.id} is {outcome.state}.", err=True)

    def _close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _say(self, job: Job, state: State, error: events.ErrorReport | None = None) -> None:
        told = {"event": "job", "job": job.id, "name": job.name, "state": state}
        if error is not None:
            told["error"] = str(error)
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
