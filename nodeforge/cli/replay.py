"""`nodeforge replay`: makes a saved picture again, and tells what differs and why."""

from __future__ import annotations

import json
import queue
import tempfile
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import click

from nodeforge.cli.lint import show
from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.user_settings import user_settings
from nodeforge.cli.watch import Bars, Quiet, Watcher
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.prepared import catalogue_for, overridden, writable
from nodeforge.engine import events
from nodeforge.engine.remote import Client, open_worker
from nodeforge.engine.replay.replaying import (
    errors_of,
    missing_packs,
    picture_again,
    read_picture,
    replay_request,
)
from nodeforge.engine.replay.verdict import Alike, Verdict, judge
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import PATIENCE, spawn_worker
from nodeforge.errors import Cancelled, NodeForgeError
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node


class ReplayError(NodeForgeError):
    """A picture could not be made again."""


@click.command("replay")
@click.argument("picture", type=click.Path(path_type=Path))
@options.ASSIGNMENTS
@options.DEVICE
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    help="Compute with so many threads; another number may change the last bits.",
)
@options.out("Keep what is made again in this folder, under a new name.")
@options.as_json("The verdict as JSON on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    picture: Path,
    assignments: tuple[str, ...],
    device: str | None,
    threads: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make PICTURE (or a video) again, and tell whether it came out the same.

    All is computed afresh, nothing is taken from the cache, and no file of yours is written over.
    The verdict is identical (every pixel), equal to the eye (at most 4 of 255 apart, and a PSNR of
    45 dB or more) or different; then the first node and step that differ are named, and what
    differs of model, LoRA, pack, node, workflow or machine. Ends with 1 where it is different.
    """
    settings = user_settings()
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    document, lock = read_picture(picture)
    spawn: dict[str, Any] = {"spawn": partial(spawn_worker, threads=threads)} if threads else {}
    client = open_worker(settings, happened.put, device or settings.device, **spawn)
    client.start()  # it imports its libraries while we look at the workflow
    patience = 0.0
    try:
        for missing in missing_packs(lock, settings):
            click.echo(str(missing), err=True)
        catalogue = catalogue_for(document, lambda: client)
        granted = overridden(document, catalogue, settings, assignments, None).granted
        if errors := errors_of(document, catalogue, settings, granted):
            show(errors, err=True)
            ctx.exit(WRONG)
        patience = PATIENCE
        with tempfile.TemporaryDirectory(prefix="nodeforge-replay-") as folder:
            request = replay_request(
                document,
                lock,
                catalogue,
                settings,
                run=uuid.uuid4().hex[:8],
                outputs=writable(out) if out is not None else Path(folder),
                granted=granted,
            )
            watcher = Quiet() if as_json else _bars(document)
            saved = _run(client, happened, document, request, watcher)
            verdict = judge(picture, picture_again(lock, saved), catalogue)
    finally:
        client.close(patience)
    _show(verdict, as_json)
    ctx.exit(FAILED if verdict.alike is Alike.DIFFERENT else 0)


def _bars(document: Document) -> Watcher:
    return Bars({path: node.title or path for path, node in every_node(document.graph).items()})


def _run(
    client: Client,
    happened: queue.SimpleQueue[events.Event],
    document: Document,
    request: RunRequest,
    watcher: Watcher,
) -> list[Path]:
    """Run to the end; the files that were saved, in order.

    Raises:
        ReplayError: the run failed.
        Cancelled: a person stopped it.
    """
    client.run(graph_to_json(document.graph), request)
    event = events.Event(request.run)
    while not isinstance(event, events.LAST):
        try:
            event = happened.get()
            watcher.tell(event)
        except KeyboardInterrupt:
            client.cancel(request.run)  # the second time, this ends the worker
    watcher.close()
    match event:
        case events.RunFinished():
            return [Path(path) for path in event.outputs]
        case events.Failed():
            error = event.error
            raise ReplayError(error.fact, place=error.place, way_out=error.way_out)
        case events.WorkerDied():
            raise ReplayError(
                f"the worker ended with code {event.exit_code}.", way_out="Try again."
            )
        case _:
            raise Cancelled


def _show(verdict: Verdict, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(verdict.to_json()))
    else:
        for line in verdict.lines():
            click.echo(line)
