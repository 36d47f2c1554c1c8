"""`nodeforge run`: a workflow without a window."""

from __future__ import annotations

import queue
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nodeforge import models
from nodeforge.cli.lint import show, show_upgrades
from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.overrides import Overrides
from nodeforge.cli.piped import whole_file
from nodeforge.cli.user_settings import user_settings
from nodeforge.engine import events
from nodeforge.engine.client import PATIENCE, WorkerClient
from nodeforge.engine.context import RunRequest
from nodeforge.engine.files import Files
from nodeforge.errors import RequestError
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.formats.pictures import read_any, stamp
from nodeforge.formats.sampling_settings import Recognised
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import SUBGRAPH
from nodeforge.graph.upgrade import upgrade
from nodeforge.lint import Severity, companion_locks, lint
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue

if TYPE_CHECKING:
    from nodeforge.cli.watch import Watcher


_TOLD = ("node_versions", "prompt_syntax", "empty_masks")
"""Rules whose warnings are worth a line before a run: the picture may be another than is meant."""


def _known_device(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Whether it is there, only torch can tell; this is about typing errors."""
    if value is None or re.fullmatch(r"auto|mps|cpu|(cuda|xpu)(:\d+)?", value):
        return value
    raise click.BadParameter(f"'{value}' is no device.", ctx, option)


@click.command("run")
@click.argument("workflow", type=click.Path(path_type=Path))
@click.option("--set", "assignments", multiple=True, metavar="NODE.PORT=VALUE", help="Set a value.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Set every unlinked seed.")
@click.option("--out", type=click.Path(path_type=Path), help="Where results are saved.")
@click.option(
    "--device",
    callback=_known_device,
    metavar="[auto|cuda|cuda:N|mps|xpu|cpu]",
    help="Where networks run; the settings' choice by default.",
)
@click.option("--json", "as_json", is_flag=True, help="One event a line on stdout.")
@click.option("--explain", is_flag=True, help="Say why each node is computed.")
@click.option("--previews", is_flag=True, help="With --json: tell of previews, too.")
@click.pass_context
def command(
    ctx: click.Context,
    workflow: Path,
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    device: str | None,
    as_json: bool,
    explain: bool,
    previews: bool,
) -> None:
    """Run WORKFLOW (JSON, or a picture made by one) and print the paths of what it saves."""
    settings = user_settings()
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    workflow = whole_file(ctx, workflow)
    document = read_any(workflow)
    client = WorkerClient(settings, happened.put, device or settings.device)
    client.start()  # it imports its libraries while we look at the workflow
    patience = 0.0  # a worker that has nothing to finish need not be waited for
    try:
        catalogue = _catalogue(document, client)
        upgrade(document, catalogue)
        show_upgrades(document)
        overrides = Overrides(document, catalogue, settings)
        for assignment in assignments:
            overrides.set(assignment)
        if seed is not None:
            overrides.seed(seed)
        _refuse_what_cannot_run(ctx, document, catalogue, settings, overrides.granted)
        _lock_companions(document, catalogue, settings, overrides.granted)
        request = RunRequest(
            run=uuid.uuid4().hex[:8],
            assets=document.assets,
            granted=overrides.granted,
            lock=document.lock,
            stamp=stamp(document, catalogue, _recognised(settings, overrides.granted)),
            outputs=_writable(out or settings.outputs),
            previews=previews,
            document=str(workflow.resolve()),
        )
        patience = PATIENCE
        watcher = _watcher(document, as_json, explain)
        ctx.exit(_run(client, happened, watcher, document, request, as_json, bool(ctx.obj)))
    finally:
        client.close(patience)


def _recognised(settings: Settings, granted: list[str]) -> Recognised:
    """Tells what a model of the workflow is."""
    folders, given = models.ModelFolders(settings), frozenset(map(Path, granted))
    return lambda kind, name: folders.info(kind, name, given)


def _catalogue(document: Document, client: WorkerClient) -> Catalogue:
    """The shipped node types, or the worker's where the workflow uses others."""
    catalogue = Catalogue.shipped()
    types = {node.type for node in every_node(document.graph).values()}
    if types <= {*catalogue, SUBGRAPH}:
        return catalogue
    return Catalogue.from_json(client.ask("catalogue").result())


def _refuse_what_cannot_run(
    ctx: click.Context,
    document: Document,
    catalogue: Catalogue,
    settings: Settings,
    granted: list[str],
) -> None:
    folders = models.ModelFolders(settings)
    pictures = Files(settings, document.assets, granted).picture
    problems = lint(document, catalogue, folders, granted=frozenset(granted), pictures=pictures)
    show([problem for problem in problems if problem.rule in _TOLD], err=True)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        show(errors, err=True)
        ctx.exit(WRONG)


def _lock_companions(
    document: Document, catalogue: Catalogue, settings: Settings, granted: list[str]
) -> None:
    """Let the pictures say which files were found beside denoisers that come alone."""
    folders = models.ModelFolders(settings)
    if found := companion_locks(document, catalogue, folders, granted):
        document.lock[models.COMPANIONS] = found


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"cannot be made: {error.strerror}.", place=str(folder), way_out="Choose another --out."
        ) from error
    return folder.absolute()


def _watcher(document: Document, as_json: bool, explain: bool) -> Watcher:
    from nodeforge.cli.watch import Bars, JsonLines

    titles = {path: node.title or path for path, node in every_node(document.graph).items()}
    return JsonLines() if as_json else Bars(titles, explain)


def _run(
    client: WorkerClient,
    happened: queue.SimpleQueue[events.Event],
    watcher: Watcher,
    document: Document,
    request: RunRequest,
    as_json: bool,
    debug: bool,
) -> int:
    client.run(graph_to_json(document.graph), request)
    event = events.Event(request.run)
    while not isinstance(event, events.LAST):
        try:
            event = happened.get()
            watcher.tell(event)
        except KeyboardInterrupt:
            client.cancel(request.run)  # the second time, this ends the worker
    watcher.close()
    return _conclude(event, as_json, debug)


def _conclude(event: events.Event, as_json: bool, debug: bool) -> int:
    match event:
        case events.RunFinished():
            if not as_json:
                for path in event.outputs:
                    click.echo(path)
            return 0
        case events.Failed():
            click.echo(str(event.error), err=True)
            if debug:
                click.echo(event.error.traceback, err=True)
            return FAILED if event.node else WRONG
        case events.WorkerDied():
            click.echo(
                f"The worker ended with code {event.exit_code}; what was finished is kept.\n"
                "    Run again: it goes on from there.",
                err=True,
            )
            if debug:
                click.echo(event.last_words, err=True)
            return FAILED
        case _:
            click.echo("Stopped. What was finished is kept.", err=True)
            return FAILED
