"""Runs one request after another on each worker, and tells what each came to."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.engine.queue.placement import WINDOW, Models, Placement
from nodeforge.engine.remote import Client
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import told_end

if TYPE_CHECKING:
    from nodeforge.cli.watch import Watcher

_HOPELESS = frozenset({"NoRoomError", "DiskFullError"})
"""Kinds of errors that the next cell would meet as well."""
_MOST_DEATHS = 3
"""So often may the worker end in a row."""
_ATTEMPTS = 2
"""How often a run is begun whose worker ends."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `error` is empty where it went well.

    `checkpoints`: files of this machine's cache that it, or one like it, may go on from.
    """

    files: tuple[Path, ...] = ()
    seconds: float = 0.0
    model_calls: int = 0
    computed: tuple[str, ...] = ()
    error: str = ""
    checkpoints: tuple[str, ...] = ()


@dataclass
class _Running:
    """A run on its way.

    Args:
        number: As its caller knows it.
        client: Where it runs.
    """

    number: int
    client: Client
    watcher: Watcher
    computed: list[str] = field(default_factory=list)
    saved: list[Path] = field(default_factory=list)


class Runs:
    """Runs one request after another on each worker, until all are done or no run is of use.

    Args:
        clients: The workers.
        happened: Where the clients put their events.
        watcher: Makes what shows the progress of one run, from its name.
        screen: Where several are shown.
    """

    def __init__(
        self,
        clients: Sequence[Client],
        happened: queue.SimpleQueue[events.Event],
        watcher: Callable[[str], Watcher],
        screen: Watcher | None = None,
    ) -> None:
        self.stopped = ""
        """Why no other run may follow; empty while one may."""
        self._clients = clients
        self._happened = happened
        self._watcher = watcher
        self._screen = screen
        self._running: dict[str, _Running] = {}
        self._deaths = 0

    def run(self, graph: dict[str, Any], request: RunRequest) -> Outcome:
        """Run `graph` to its end, on the first worker."""
        self._begin(0, 0, graph, request)
        _, outcome = self._next_end()
        return outcome

    def run_all(
        self,
        numbers: Sequence[int],
        models: Mapping[int, Models],
        begin: Callable[[int], tuple[dict[str, Any], RunRequest]],
    ) -> Iterator[tuple[int, Outcome]]:
        """Run several; gives the number of each and what it came to, as they end.

        Args:
            numbers: In the order in which they begin, as far as their models allow.
            models: What each names.
            begin: Gives the graph of a run, and what is asked, when it begins.
        """
        placement = Placement(lambda job: models[int(job)])
        waiting, begun = list(numbers), Counter[int]()
        kept: dict[int, list[str]] = {}
        while self._running or (waiting and not self.stopped):
            busy = [each.client for each in self._running.values()]
            for index, client in enumerate(self._clients):
                if client in busy or not waiting or self.stopped:
                    continue
                number = int(placement.choose(index, [str(each) for each in waiting[:WINDOW]]))
                waiting.remove(number)
                placement.begin(index, str(number))
                begun[number] += 1
                graph, request = begin(number)
                checkpoints = kept.get(number, request.checkpoints)
                self._begin(index, number, graph, replace(request, checkpoints=checkpoints))
            number, outcome = self._next_end()
            has_died = self._deaths > 0
            if has_died and begun[number] < _ATTEMPTS and not self.stopped:
                waiting.insert(0, number)  # it goes on from its last step on disk
                kept[number] = list(outcome.checkpoints)
            else:
                yield number, outcome
        if self._screen is not None:
            self._screen.close()

    def _begin(self, worker: int, number: int, graph: dict[str, Any], request: RunRequest) -> None:
        client, watcher = self._clients[worker], self._watcher(f"Cell {number}")
        self._running[request.run] = _Running(number, client, watcher)
        client.run(graph, request)

    def _next_end(self) -> tuple[int, Outcome]:
        """Wait until one of the runs ends."""
        while True:
            try:
                event = self._happened.get()
                if (run := self._running.get(event.run)) is None:
                    continue
                run.watcher.tell(event)
            except KeyboardInterrupt:
                self.stopped = "Stopped. What was finished is kept."
                for name, each in self._running.items():
                    each.client.cancel(name)
                continue
            if isinstance(event, events.Finished) and event.source is Source.COMPUTED:
                run.computed.append(event.node)
            elif isinstance(event, events.Saved):
                run.saved.append(Path(event.path))
            elif isinstance(event, events.LAST):
                del self._running[event.run]
                run.watcher.close()
                return run.number, replace(
                    self._outcome(event),
                    files=tuple(run.saved),
                    computed=tuple(run.computed),
                    checkpoints=tuple(getattr(event, "checkpoints", ())),
                )

    def _outcome(self, event: events.Event) -> Outcome:
        died = isinstance(event, events.WorkerDied)
        self._deaths = self._deaths + 1 if died else 0
        match event:
            case events.RunFinished():
                return Outcome(seconds=event.seconds, model_calls=event.model_calls)
            case events.Failed():
                if event.error.kind in _HOPELESS:
                    self.stopped = str(event.error)
                return Outcome(error=str(event.error))
            case events.WorkerDied():
                fact = f"The worker ended with {told_end(event.exit_code, event.last_words)}."
                if self._deaths == _MOST_DEATHS:
                    self.stopped = f"{fact} It did so {self._deaths} times in a row."
                return Outcome(error=fact)
            case _:
                return Outcome(error="Stopped.")
