"""`nodeforge run`: a workflow without a window."""

from __future__ import annotations

import queue
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.form_help import show_form
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.cli.workflow.prepared import catalogue_for, prepared, writable
from nodeforge.engine import events
from nodeforge.engine.content.files import Files
from nodeforge.engine.queue.attempt import recogniser
from nodeforge.engine.remote import Client, open_worker
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import PATIENCE
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.formats.pictures import read_any, run_stamp
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.upgrade import upgrade

if TYPE_CHECKING:
    from nodeforge.cli.watch import Watcher


@click.command("run")
@options.workflow_and_values
@options.out()
@options.DEVICE
@options.as_json("One event a line on stdout.")
@click.option("--explain", is_flag=True, help="Say why each node is computed.")
@click.option("--help-form", is_flag=True, help="Show what the workflow's form sets, and end.")
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
    help_form: bool,
    previews: bool,
) -> None:
    """Run WORKFLOW (JSON, or a picture or video of one) and print the paths of what it saves."""
    settings = user_settings()
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    workflow = whole_file(ctx, workflow)
    document = read_any(workflow)
    client = open_worker(settings, happened.put, device or settings.device)
    if help_form:
        _show_form(document, client, as_json)
        return
    client.start()  # it imports its libraries while we look at the workflow
    patience = 0.0  # a worker that has nothing to finish need not be waited for
    try:
        catalogue = catalogue_for(document, lambda: client)
        overrides = prepared(
            ctx, document, catalogue, settings, assignments, seed, machine=client.machine
        )
        files = Files(settings, document.assets, overrides.granted, document.lock)
        request = RunRequest(
            run=uuid.uuid4().hex[:8],
            assets=document.assets,
            granted=overrides.granted,
            lock=document.lock,
            stamp=run_stamp(
                document, catalogue, recogniser(settings, overrides.granted), files.resolve
            ),
            outputs=writable(out or settings.outputs),
            previews=previews,
            document=str(workflow.resolve()),
        )
        patience = PATIENCE
        watcher = _watcher(document, as_json, explain)
        ctx.exit(_run(client, happened, watcher, document, request, as_json, bool(ctx.obj)))
    finally:
        client.close(patience)


def _show_form(document: Document, client: Client, as_json: bool) -> None:
    try:
        catalogue = catalogue_for(document, lambda: client)
        upgrade(document, catalogue)
        show_form(document, catalogue, as_json=as_json)
    finally:
        client.close(0.0)


def _watcher(document: Document, as_json: bool, explain: bool) -> Watcher:
    from nodeforge.cli.watch import Bars, JsonLines

    titles = {path: node.title or path for path, node in every_node(document.graph).items()}
    return JsonLines() if as_json else Bars(titles, explain)


def _run(
    client: Client,
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
