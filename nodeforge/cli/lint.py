"""`nodeforge lint`: problems found without running."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nodeforge import models
from nodeforge.formats.pictures import read_any
from nodeforge.formats.workflow import save
from nodeforge.graph.document import Document
from nodeforge.lint import Problem, Severity, lint
from nodeforge.settings import load_settings
from nodeforge.spec import Catalogue


@click.command("lint")
@click.argument("workflow", type=click.Path(path_type=Path))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text")
@click.option("--fix", is_flag=True, help="Mend what can be mended, and save the workflow.")
@click.pass_context
def command(ctx: click.Context, workflow: Path, style: str, fix: bool) -> None:
    """Name what is wrong with WORKFLOW. Exit 2 where it cannot run."""
    document = read_any(workflow)
    show_upgrades(document)
    catalogue, folders = Catalogue.shipped(), models.ModelFolders(load_settings())
    problems = lint(document, catalogue, folders)
    if fix and any(problem.fix for problem in problems):
        for problem in problems:
            if problem.fix:
                document.perform(problem.fix)
        save(document, workflow)
        problems = lint(document, catalogue, folders)
    if style == "json":
        click.echo(json.dumps([problem.to_json() for problem in problems], indent=2))
    else:
        show(problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        ctx.exit(2)


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
