"""Shows a run's events: progress for a person on stderr, or JSON lines on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.graph.planned import number_of, original

_TOLD_AS_JSON = (
    events.Started,
    events.Reading,
    events.Progress,
    events.Preview,
    events.Finished,
    events.Failed,
    events.RunCancelled,
    events.RunFinished,
)


class Watcher(Protocol):
    """Is told every event of a run."""

    def tell(self, event: events.Event) -> None: ...

    def close(self) -> None: ...


class JsonLines:
    """One event a line on stdout."""

    def tell(self, event: events.Event) -> None:
        if isinstance(event, events.Reused):
            for node, source in event.nodes.items():
                self._write(events.to_json(events.Finished(event.run, node, source, 0.0, 0)))
        elif isinstance(event, _TOLD_AS_JSON):
            self._write(events.to_json(event))
        elif isinstance(event, events.Notice):
            click.echo(f"{event.node}: {event.fact}", err=True)

    def close(self) -> None:
        sys.stdout.flush()

    def _write(self, raw: dict[str, Any]) -> None:
        click.echo(json.dumps(raw))


class Quiet:
    """Says only what a person should know: whoever runs many workflows tells of them itself."""

    def tell(self, event: events.Event) -> None:
        if isinstance(event, events.Notice):
            click.echo(f"{event.node}: {event.fact}", err=True)

    def close(self) -> None:
        sys.stdout.flush()


class _Rate(TextColumn):
    """Steps a second, or seconds a step where that is more."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:.1f} it/s" if speed >= 1 else f"{1 / speed:.1f} s/it")


class Bars:
    """A bar for each node that reports steps, with rate and time left.

    Args:
        titles: Of nodes, by id.
        explain: Whether to say why each node is computed.
    """

    def __init__(self, titles: Mapping[str, str], explain: bool = False) -> None:
        self._titles = titles
        self._explain = explain
        self._run = ""
        self._of: Bars | None = None
        """The bars among which these are shown."""
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=False,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def beside(self, titles: Mapping[str, str], run: str) -> Bars:
        """Bars of a run that is shown here among others.

        Args:
            titles: Of its nodes, by id.
            run: Precedes its titles.
        """
        made = copy(self)
        made._titles, made._run, made._of, made._tasks = titles, run, self, {}
        return made

    def tell(self, event: events.Event) -> None:
        match event:
            case events.Progress():
                self._step(event)
            case events.Reading():
                self._read(event)
            case events.Started() if self._explain and event.reason:
                reason = event.reason.text(self._titles.get(event.reason.node, ""))
                self._say(f"{self._title(event.node)}: {reason}")
            case events.Finished() if event.seconds >= 0.1:
                self._say(f"{self._title(event.node)}: {event.seconds:.1f} s")
            case events.Reused():
                self._say(self._reuse(event.nodes))
            case events.Notice():
                self._say(f"{self._title(event.node)}: {event.fact}")
            case _:
                pass

    def close(self) -> None:
        if self._of is None:
            self._progress.stop()
            return
        for task in self._tasks.values():
            self._progress.remove_task(task)

    def _step(self, event: events.Progress) -> None:
        if event.node not in self._tasks:
            title = self._run + self._title(event.node)
            self._tasks[event.node] = self._progress.add_task(title, total=event.of)
        self._progress.update(self._tasks[event.node], completed=event.step + event.part)

    def _read(self, event: events.Reading) -> None:
        if event.path not in self._tasks:
            title = f"{self._run}Reading {Path(event.path).name} (MiB, once)"
            self._tasks[event.path] = self._progress.add_task(title, total=event.of >> 20)
        self._progress.update(self._tasks[event.path], completed=event.done >> 20)

    def _say(self, text: str) -> None:
        self._console.print(self._run + text, style="dim", markup=False)

    def _title(self, node: str) -> str:
        number, of = number_of(node)
        title = self._titles.get(original(node), node)
        return title if of == 1 else f"{title}, {number} of {of}"

    def _reuse(self, nodes: Mapping[str, Source]) -> str:
        names = ", ".join(self._title(node) for node in list(nodes)[:6])
        more = f" and {len(nodes) - 6} more" if len(nodes) > 6 else ""
        return f"Already there: {names}{more}"
