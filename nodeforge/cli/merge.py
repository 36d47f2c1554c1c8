"""`nodeforge merge`: two workflows that come from one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nodeforge.cli.main import FAILED
from nodeforge.cli.workflow import options
from nodeforge.errors import RequestError
from nodeforge.formats.pictures import is_media, is_picture, read_any
from nodeforge.formats.workflow import save
from nodeforge.graph.comparison.merge import merge
from nodeforge.graph.document import Document


@click.command("merge")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="WORKFLOW",
    type=click.Path(path_type=Path),
    help="Where to write it; OURS by default.",
)
@options.as_json("The conflicts as JSON on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    base: Path,
    ours: Path,
    theirs: Path,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write into OURS what THEIRS changed since BASE, by node and port.

    Where both changed the same, ours stays, and the workflow lists it under "conflicts": that is
    an error of the linter until it is resolved. Exit 0 without conflicts, 1 with some, 2 where a
    file cannot be read.

    As git's driver, with "*.json merge=nodeforge" in .gitattributes:

    git config merge.nodeforge.driver "nodeforge merge %O %A %B"
    """
    target = output or ours
    if output is None and (is_picture(ours) or is_media(ours)):
        raise RequestError(
            "is no workflow file.", place=str(ours), way_out="Name the one to write with -o."
        )
    before = len((document := read_any(ours)).conflicts)
    merged = merge(_base(base), document, read_any(theirs))
    save(merged, target)
    if as_json:
        click.echo(json.dumps([*merged.conflicts.values()], indent=2, ensure_ascii=False))
    else:
        for key, told in merged.conflicts.items():
            base_, our, their = (json.dumps(told[n]) for n in ("base", "ours", "theirs"))
            click.echo(f"{key}: ours {our}, theirs {their}, before {base_}", err=True)
        click.echo(str(target))
    ctx.exit(FAILED if len(merged.conflicts) > before else 0)


def _base(path: Path) -> Document:
    """An empty file stands for no workflow: git gives it where both sides added one.

    Raises:
        NodeForgeError: it cannot be read.
    """
    try:
        if path.stat().st_size == 0:
            return Document()
    except OSError as error:
        raise RequestError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    return read_any(path)
