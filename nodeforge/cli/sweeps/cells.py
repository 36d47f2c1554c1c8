"""Runs of one workflow with other values, one after another on each worker."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from nodeforge import models
from nodeforge.cli.overrides import Overrides
from nodeforge.cli.sweeps.runs import Runs
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.cli.workflow.prepared import catalogue_for, overridden
from nodeforge.engine import events
from nodeforge.engine.content.files import Files
from nodeforge.engine.planning.plan import default_targets
from nodeforge.engine.queue.placement import (
    check_devices,
    spawn_beside,
    worker_devices,
)
from nodeforge.engine.remote import Client, open_worker
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.sweeps.axes import parse_axis
from nodeforge.engine.sweeps.cells import Cell, fan_out, parse_skip
from nodeforge.engine.sweeps.exploration import upstream
from nodeforge.engine.sweeps.findings import Findings
from nodeforge.engine.sweeps.jobs import copied
from nodeforge.engine.worker_client.client import PATIENCE
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
    client: Client
    others: Sequence[Client]
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
    clients = [open_worker(settings, happened.put, each, **spawn) for each in devices]
    client = clients[0]
    client.start()  # it imports its libraries while we look at the workflow
    made: Opened | None = None
    try:
        catalogue = catalogue_for(document, lambda: client)
        overrides = overridden(document, catalogue, settings, assignments, seed)
        workflow = Workflow(document, catalogue, settings, overrides.granted, file)
        check_devices(clients, devices)
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
