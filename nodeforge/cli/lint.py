"""`nodeforge lint`: problems found without running."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.overrides import Overrides
from nodeforge.cli.piped import whole_file
from nodeforge.cli.user_settings import user_settings
from nodeforge.engine.files import Files
from nodeforge.errors import RequestError
from nodeforge.formats.pictures import read_any
from nodeforge.formats.workflow import save
from nodeforge.graph.document import Document
from nodeforge.lint import Problem, Severity, lint
from nodeforge.spec import Catalogue


@click.command("lint")
@click.argument("workflow", type=click.Path(path_type=Path))
@click.option("--set", "assignments", multiple=True, metavar="NODE.PORT=VALUE", help="Set a value.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.option("--fix", is_flag=True, help="Mend what can be mended, and save the workflow.")
@click.pass_context
def command(
    ctx: click.Context, workflow: Path, assignments: tuple[str, ...], style: str, fix: bool
) -> None:
    """Name what is wrong with WORKFLOW. Exit 2 where it cannot run."""
    if fix and assignments:
        raise click.UsageError("--fix would save what --set sets: choose one of them.")
    given, workflow = workflow, whole_file(ctx, workflow)
    document = read_any(workflow)
    show_upgrades(document)
    settings = user_settings()
    catalogue, folders = Catalogue.shipped(), models.ModelFolders(settings)
    overrides = Overrides(document, catalogue, settings)
    for assignment in assignments:
        overrides.set(assignment)
    granted = overrides.granted
    pictures = Files(settings, document.assets, granted).picture
    problems = lint(document, catalogue, folders, granted=frozenset(granted), pictures=pictures)
    if fix and any(problem.fix for problem in problems):
        if workflow != given:
            raise RequestError("is a pipe, so it cannot be mended in place.", place=str(given))
        _refuse_other_files(workflow)
        for problem in problems:
            if problem.fix:
                document.perform(problem.fix)
        save(document, workflow)
        problems = lint(document, catalogue, folders, pictures=pictures)
    if style == "json":
        click.echo(json.dumps([problem.to_json() for problem in problems], indent=2))
    else:
        show(problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        ctx.exit(2)


def _refuse_other_files(path: Path) -> None:
    """Raise unless the file is a workflow: a picture or a project would be overwritten by one."""
    with path.open("rb") as file:
        head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"{"):
        raise RequestError(
            "is no workflow file, so it cannot be mended in place.",
            place=path.name,
            way_out="Open it in the window and save it as a workflow, then mend that.",
        )


def show_upgrades(document: Document) -> None:
    """Say which nodes were saved with older versions of their types, and have changed."""
    for path, node_type, before, after in document.upgraded:
        click.echo(
            f"{path}: upgraded from version {before} of {node_type} to version {after}.", err=True
        )


def show(problems: list[Problem], *, err: bool = False) -> None:
    """Print `problems`, one after another, as a person reads them."""
    for problem in problems:
        click.echo(f"{problem.severity} [{problem.rule}] {problem}", err=err)
