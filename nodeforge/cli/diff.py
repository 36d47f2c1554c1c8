"""`nodeforge diff`: what changed in meaning between two workflows."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.piped import whole_file
from nodeforge.errors import NodeForgeError
from nodeforge.formats.pictures import read_any
from nodeforge.graph.comparison.compare import compare
from nodeforge.graph.comparison.compare_text import DifferenceText
from nodeforge.spec import Catalogue


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@options.as_json("The changes as JSON.")
@click.pass_context
def command(ctx: click.Context, before: Path, after: Path, as_json: bool) -> None:
    """Tell what changed in meaning from BEFORE to AFTER: workflows, or pictures made by them.

    Where nodes are is no change. Exit 0 where nothing changed, 1 where something did, 2 where
    one of the two cannot be read.
    """
    catalogue = Catalogue.shipped()
    try:
        documents = (read_any(whole_file(ctx, before)), read_any(whole_file(ctx, after)))
    except NodeForgeError as error:
        click.echo(str(error), err=True)
        ctx.exit(WRONG)
    found = compare(*documents, catalogue)
    if as_json:
        click.echo(json.dumps([each.to_json() for each in found], indent=2, ensure_ascii=False))
    else:
        for line in DifferenceText(*documents, catalogue).lines(found):
            click.echo(line)
    ctx.exit(FAILED if found else 0)
