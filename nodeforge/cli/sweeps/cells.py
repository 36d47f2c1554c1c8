"""Runs of one workflow with other values, one after another on each worker."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeforge import models
from nodeforge.cli.overrides import Overrides
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.cli.workflow.prepared import catalogue_for, overridden
from nodeforge.engine import events
from nodeforge.engine.client import PATIENCE, WorkerClient
from nodeforge.engine.context import RunRequest
from nodeforge.engine.events import Source
from nodeforge.engine.files import Files
from nodeforge.engine.plan import default_targets
from nodeforge.engine.queue.placement import (
    WINDOW,
    Models,
    Placement,
    spawn_beside,
    worker_devices,
)
from nodeforge.engine.sweeps.axes import parse_axis
from nodeforge.engine.sweeps.cells import Cell, fan_out, parse_skip
from nodeforge.engine.sweeps.exploration import upstream
from nodeforge.engine.sweeps.findings import Findings
from nodeforge.engine.sweeps.jobs import copied
from nodeforge.errors import RequestError
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.formats.pictures import read_any, run_stamp
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Input
from nodeforge.lint import Problem, Severity, companion_locks, lint
from nodeforge.lint.reports import line
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, FileWidget

if TYPE_CHECKING:
    from nodeforge.cli.watch import Watcher

_HOPELESS = frozenset({"NoRoomError", "DiskFullError"})
"""Kinds of errors that the next cell would meet as well."""
_MOST_DEATHS = 3
"""So often may the worker end in a row."""


class NothingSavedError(RequestError):
    """A workflow that leaves no picture to be compared."""


@dataclass
class CellRun:
    """A workflow as one cell runs it.

    Args:
        document: A copy of its own.
        granted: Files that the person named.
    """

    document: Document
    granted: list[str]


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `error` is empty where it went well."""

    files: tuple[Path, ...] = ()
    seconds: float = 0.0
    model_calls: int = 0
    computed: tuple[str, ...] = ()
    error: str = ""


class Workflow:
    """The workflow whose cells are run.

    Args:
        document: With what `--set` and `--seed` changed.
        catalogue: Declares its nodes.
        settings: Folders.
        granted: Files that the person named.
        source: Its file, by which its last run is found again.

    Raises:
        NothingSavedError: nothing in it saves a file.
    """

    def __init__(
        self,
        document: Document,
        catalogue: Catalogue,
        settings: Settings,
        granted: Sequence[str],
        source: Path,
    ) -> None:
        self.document = document
        self.catalogue = catalogue
        self.source = source
        self.settings = settings
        self._granted = list(granted)
        self._folders = models.ModelFolders(settings)
        self._known: dict[tuple[frozenset[str], str, str], models.ModelInfo | None] = {}
        flat = flatten(document.graph, catalogue)
        if not any(node.spec and node.spec.effects for node in flat.nodes.values()):
            raise NothingSavedError(
                "saves no picture.",
                place=source.name,
                way_out="Add a Save image node to it.",
            )

    def with_values(self, assignments: Iterable[str]) -> CellRun:
        """A copy in which ``NODE.PORT=VALUE`` are carried out.

        Raises:
            RequestError: one cannot be, as a picture that is damaged.
        """
        document = copied(self.document)
        overrides = Overrides(document, self.catalogue, self.settings)
        for assignment in assignments:
            overrides.set(assignment)
        return CellRun(document, [*self._granted, *overrides.granted])

    def refusals(self, run: CellRun) -> list[tuple[str, bool]]:
        """What is to be said before a run, and whether it hinders it.

        The linter leaves open whether pictures are there.
        """
        problems = self.problems(run)
        told = [(line(p), p.severity is Severity.ERROR) for p in problems]
        return [*told, *((f"error: {fact}", True) for fact in self._missing_pictures(run))]

    def _missing_pictures(self, run: CellRun) -> Iterator[str]:
        """Which pictures are not there, of nodes that are run."""
        files = Files(self.settings, run.document.assets, run.granted)
        flat = flatten(run.document.graph, self.catalogue)
        wanted = default_targets(flat)
        for path in dict.fromkeys(each for start in wanted for each in upstream(flat, start)):
            node = flat.nodes[path]
            for port in node.spec.inputs if node.spec else ():
                value = node.values.get(port.name)
                linked = Input(path, port.name) in flat.links
                if not isinstance(port.widget, FileWidget) or value is None or linked:
                    continue
                try:
                    files.resolve(port, value)
                except RequestError as error:
                    yield str(error.at(f"{path}, port '{port.name}'"))

    def problems(self, run: CellRun) -> list[Problem]:
        """What the linter says that matters before a run."""
        document, granted = run.document, run.granted
        files = Files(self.settings, document.assets, granted)
        found = lint(
            document,
            self.catalogue,
            self._folders,
            granted=frozenset(granted),
            pictures=files.picture,
            resolve=files.resolve,
        )
        return [problem for problem in found if problem.matters_to_a_run]

    def request(self, run: CellRun, outputs: Path) -> RunRequest:
        """What is asked of the worker; pictures carry the cell's own workflow."""
        document, granted = run.document, run.granted
        if found := companion_locks(document, self.catalogue, self._folders, granted):
            document.lock[models.COMPANIONS] = found
        return RunRequest(
            run=uuid.uuid4().hex[:8],
            assets=document.assets,
            granted=granted,
            lock=document.lock,
            stamp=run_stamp(
                document, self.catalogue, partial(self._recognised, frozenset(granted))
            ),
            outputs=outputs,
            document=str(self.source.resolve()),
        )

    def _recognised(self, granted: frozenset[str], kind: str, name: str) -> models.ModelInfo | None:
        """What a model is. It is looked at once: four times a cell took 18 ms."""
        key = granted, kind, name
        if key not in self._known:
            given = frozenset(map(Path, granted))
            self._known[key] = self._folders.info(kind, name, given)
        return self._known[key]


def refuse_problems(workflow: Workflow, runs: Sequence[CellRun], numbers: Sequence[int]) -> bool:
    """Say what is wrong with any of the cells, once each; whether one cannot be run.

    Args:
        workflow: The workflow.
        runs: Its cells; equal ones are looked at once.
        numbers: How people know the cells.
    """
    found = Findings()
    known: dict[str, list[tuple[str, bool]]] = {}
    for run, number in zip(runs, numbers, strict=True):
        content = repr(graph_to_json(run.document.graph))
        if content not in known:
            known[content] = workflow.refusals(run)
        found.add(number, known[content])
    for each in found:
        in_cells = "" if found.is_of_all(each) else f"    In {_numbers(each.cells)}.\n"
        click.echo(f"{each.text}\n{in_cells}", err=True, nl=False)
    return found.has_errors


def _numbers(numbers: Sequence[int]) -> str:
    told = ", ".join(map(str, numbers[:8]))
    more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
    return f"cell{'s' if len(numbers) > 1 else ''} {told}{more}"


@dataclass
class Opened:
    """A workflow that a command was given, and a worker that starts meanwhile.

    Args:
        workflow: With what `--set` and `--seed` changed.
        client: The worker.
        others: Those that share the cells with it.
        happened: Where their events go.
        patience: Seconds that each is given to end in; one that has nothing to finish, none.
    """

    workflow: Workflow
    client: WorkerClient
    others: Sequence[WorkerClient]
    happened: queue.SimpleQueue[events.Event]
    patience: float = 0.0

    def runs(self, as_json: bool) -> Runs:
        """What runs its cells. From now on the worker is let finish what it writes."""
        from nodeforge.cli.watch import Bars, Quiet

        self.patience = PATIENCE
        nodes = every_node(self.workflow.document.graph)
        titles = {path: node.title or path for path, node in nodes.items()}
        if not self.others:
            return Runs(
                [self.client], self.happened, lambda _: Quiet() if as_json else Bars(titles)
            )
        screen = Bars({})
        return Runs(
            [self.client, *self.others],
            self.happened,
            lambda name: screen.beside(titles, f"{name}: "),
            screen,
        )


@contextmanager
def opened(
    ctx: click.Context,
    file: Path,
    assignments: Sequence[str],
    seed: int | None,
    device: str | None,
    workers: int | None = 1,
) -> Iterator[Opened]:
    """Open the workflow in `file`, and end its workers after the block.

    Args:
        workers: How many; None for as many as the settings say.

    Raises:
        RequestError: it cannot be opened, saves nothing, or an assignment cannot be carried out.
    """
    settings = user_settings()
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    file = whole_file(ctx, file)
    document = read_any(file)
    devices = worker_devices(settings, workers or 0, device)
    spawn: dict[str, Any] = {"spawn": spawn_beside(len(devices))} if len(devices) > 1 else {}
    clients = [WorkerClient(settings, happened.put, each, **spawn) for each in devices]
    client = clients[0]
    client.start()  # it imports its libraries while we look at the workflow
    made: Opened | None = None
    try:
        catalogue = catalogue_for(document, lambda: client)
        overrides = overridden(document, catalogue, settings, assignments, seed)
        workflow = Workflow(document, catalogue, settings, overrides.granted, file)
        made = Opened(workflow, client, clients[1:], happened)
        yield made
    finally:
        for each in clients:
            each.close(made.patience if made else 0.0)


def cells_of(
    workflow: Workflow, axes: Sequence[str], together: bool, skips: Sequence[str]
) -> list[Cell]:
    """The cells that `--axis`, `--zip` and `--skip` ask for.

    Raises:
        AxisError: they make no sense.
    """
    document, catalogue = workflow.document, workflow.catalogue
    parsed = [parse_axis(axis, document, catalogue) for axis in axes]
    left_out = [parse_skip(skip, parsed, document, catalogue) for skip in skips]
    return fan_out(parsed, together=together, skips=left_out)


def assignments_of(cell: Cell) -> list[str]:
    """What makes a cell of the workflow, as ``NODE.PORT=VALUE``."""
    return [f"{each.axis.target}={each.text}" for each in cell.values]


@dataclass
class _Running:
    """A run on its way.

    Args:
        number: As its caller knows it.
        client: Where it runs.
    """

    number: int
    client: WorkerClient
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
        clients: Sequence[WorkerClient],
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
        waiting = list(numbers)
        while self._running or (waiting and not self.stopped):
            busy = [each.client for each in self._running.values()]
            for index, client in enumerate(self._clients):
                if client in busy or not waiting or self.stopped:
                    continue
                number = int(placement.choose(index, [str(each) for each in waiting[:WINDOW]]))
                waiting.remove(number)
                placement.begin(index, str(number))
                self._begin(index, number, *begin(number))
            yield self._next_end()
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
                files, computed = tuple(run.saved), tuple(run.computed)
                return run.number, replace(self._outcome(event), files=files, computed=computed)

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
                fact = f"The worker ended with code {event.exit_code}."
                if self._deaths == _MOST_DEATHS:
                    self.stopped = f"{fact} It did so {self._deaths} times in a row."
                return Outcome(error=fact)
            case _:
                return Outcome(error="Stopped.")
