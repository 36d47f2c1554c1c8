"""`nodeforge import`: workflows of ComfyUI, and pictures of other programs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nodeforge import models
from nodeforge.cli.lint import show
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.errors import RequestError
from nodeforge.formats.comfyui import PLACEHOLDER
from nodeforge.formats.parameters.foreign.reading import import_any
from nodeforge.formats.workflow import save
from nodeforge.graph.document import Document
from nodeforge.lint import Problem, Severity, lint
from nodeforge.settings import load_settings
from nodeforge.spec import Catalogue

SUFFIX = ".nodeforge.json"


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="WORKFLOW",
    type=click.Path(path_type=Path),
    help=f"Where to write it; FILE's name with {SUFFIX} by default, which must not exist.",
)
@options.as_json("The report as JSON on stdout.")
@click.pass_context
def command(ctx: click.Context, file: Path, output: Path | None, as_json: bool) -> None:
    """Make a workflow of FILE: ComfyUI's JSON in both of its forms, a picture that carries it, or
    a picture with the settings of A1111, Forge, InvokeAI, SwarmUI, Fooocus or NovelAI.

    The path of what was written goes to stdout, the report to stderr.
    """
    catalogue = Catalogue.shipped()
    read = whole_file(ctx, file)
    if read != file and output is None:
        raise RequestError(
            "is a pipe, without a name.",
            place=str(file),
            way_out="Name the workflow to write with -o.",
        )
    imported = import_any(read, catalogue, models.ModelFolders(load_settings()))
    target = _free(file, output)
    save(imported.document, target)
    problems = _problems(imported.document, catalogue)
    if as_json:
        report = imported.report.to_json()
        told = {"workflow": str(target), **report, "problems": [p.to_json() for p in problems]}
        click.echo(json.dumps(told, indent=2))
        return
    for line in imported.report.lines():
        click.echo(line, err=True)
    if problems:
        click.echo("To mend before a run:", err=True)
        show(problems, err=True)
    click.echo(str(target))


def _free(file: Path, output: Path | None) -> Path:
    target = output or file.with_name(file.stem + SUFFIX)
    taken = target.exists() if output is None else _same(file, target)
    if taken:
        fact = "is there already." if output is None else "is the file that is imported."
        raise RequestError(fact, place=str(target), way_out="Name another one with -o.")
    return target


def _same(file: Path, target: Path) -> bool:
    return target.exists() and target.samefile(file)


def _problems(document: Document, catalogue: Catalogue) -> list[Problem]:
    """What stands in the way of a run; placeholders are named by the report."""
    found = lint(document, catalogue, models.ModelFolders(load_settings()))
    nodes = document.graph.nodes
    return [
        each
        for each in found
        if each.severity is Severity.ERROR
        and not (each.node in nodes and nodes[each.node].type.startswith(PLACEHOLDER))
    ]
