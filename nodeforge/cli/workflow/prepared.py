"""A workflow as a command runs or queues it: with what was set, checked, and its files found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.lint import show, show_upgrades
from nodeforge.cli.main import WRONG
from nodeforge.cli.overrides import Overrides
from nodeforge.engine.content.files import Files
from nodeforge.engine.remote import Client
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import SUBGRAPH
from nodeforge.graph.upgrade import upgrade
from nodeforge.lint import Severity, companion_locks, lint
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue


def prepared(
    ctx: click.Context,
    document: Document,
    catalogue: Catalogue,
    settings: Settings,
    assignments: Sequence[str],
    seed: int | None,
    *,
    machine: str = "",
) -> Overrides:
    """Set what was asked for, and end the command where the workflow cannot be run.

    Args:
        machine: The other machine on which it will run: what models are there, that one tells.

    Raises:
        OverrideError: an assignment cannot be carried out.
    """
    overrides = overridden(document, catalogue, settings, assignments, seed)
    _refuse_what_cannot_run(ctx, document, catalogue, settings, overrides.granted, machine)
    _lock_companions(document, catalogue, settings, overrides.granted)
    return overrides


def overridden(
    document: Document,
    catalogue: Catalogue,
    settings: Settings,
    assignments: Sequence[str],
    seed: int | None,
) -> Overrides:
    """Bring the workflow to today's nodes, and set what was asked for.

    Raises:
        OverrideError: an assignment cannot be carried out.
    """
    upgrade(document, catalogue)
    show_upgrades(document)
    overrides = Overrides(document, catalogue, settings)
    for assignment in assignments:
        overrides.set(assignment)
    if seed is not None:
        overrides.seed(seed)
    return overrides


def catalogue_for(document: Document, client: Callable[[], Client]) -> Catalogue:
    """The shipped node types, or the worker's where the workflow uses others."""
    catalogue = Catalogue.shipped()
    types = {node.type for node in every_node(document.graph).values()}
    if types <= {*catalogue, SUBGRAPH}:
        return catalogue
    return Catalogue.from_json(client().ask("catalogue").result())


def _refuse_what_cannot_run(
    ctx: click.Context,
    document: Document,
    catalogue: Catalogue,
    settings: Settings,
    granted: list[str],
    machine: str,
) -> None:
    folders = models.ModelFolders(settings)
    files = Files(settings, document.assets, granted)
    problems = lint(
        document,
        catalogue,
        folders,
        granted=frozenset(granted),
        pictures=files.picture,
        resolve=files.resolve,
        elsewhere=bool(machine),
    )
    show([problem for problem in problems if problem.matters_to_a_run], err=True)
    if any(problem.severity is Severity.ERROR for problem in problems):
        ctx.exit(WRONG)


def _lock_companions(
    document: Document, catalogue: Catalogue, settings: Settings, granted: list[str]
) -> None:
    """Let the pictures say which files were found beside denoisers that come alone."""
    folders = models.ModelFolders(settings)
    if found := companion_locks(document, catalogue, folders, granted):
        document.lock[models.COMPANIONS] = found


def writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"cannot be made: {error.strerror}.", place=str(folder), way_out="Choose another --out."
        ) from error
    return folder.absolute()
