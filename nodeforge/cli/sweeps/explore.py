"""`nodeforge explore`: many candidates for a share of their steps, and only the kept ones whole."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import click

from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.sweeps.candidates import MOST_CANDIDATES, Candidates, Exploration
from nodeforge.cli.sweeps.cells import (
    assignments_of,
    cells_of,
    opened,
    refuse_problems,
)
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.prepared import writable
from nodeforge.engine.sweeps.candidate_files import CandidateFiles
from nodeforge.engine.sweeps.exploration import (
    check_batch,
    estimates_of,
)
from nodeforge.errors import RequestError


class KeepError(RequestError):
    """A choice of candidates that are not there."""


@click.command("explore")
@options.WORKFLOW
@click.option(
    "--seeds",
    "count",
    type=click.IntRange(1, MOST_CANDIDATES),
    default=16,
    show_default=True,
    help="How many candidates; candidate i has the workflow's seed + i - 1.",
)
@click.option(
    "--until",
    type=click.FloatRange(0.01, 0.99),
    default=0.3,
    show_default=True,
    help="The share of the steps after which they are compared.",
)
@options.axes("As in 'nodeforge sweep': each combination has candidates of every seed.")
@options.TOGETHER
@options.SKIPS
@click.option("--keep", metavar="1,5,9-12", help="The candidates to finish.")
@click.option(
    "--batch",
    type=click.IntRange(1, 64),
    default=1,
    help="Estimate so many candidates at once, which is faster on a GPU: estimates are then equal "
    "to 1e-3, and kept ones are run from their first step.",
)
@options.ASSIGNMENTS
@options.SEED
@options.out("A folder of its own.", required=True)
@options.DEVICE
@options.ON
@options.WORKERS
@options.as_json("One candidate a line on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    workflow: Path,
    count: int,
    until: float,
    axes: tuple[str, ...],
    together: bool,
    skips: tuple[str, ...],
    keep: str | None,
    batch: int,
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path,
    device: str | None,
    cluster: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run the first steps of many candidates of WORKFLOW, and finish those that are kept.

    Without --keep it stops when all estimates are there; the same command with --keep goes on
    from the steps that were run, which are kept for a week. A finished candidate equals its
    plain run to the last bit.
    """
    with opened(ctx, workflow, assignments, seed, cluster or device, workers) as work:
        base = work.workflow
        cells = cells_of(base, axes, together, skips) if axes or skips or together else []
        candidates = Candidates(base, [assignments_of(cell) for cell in cells] or [[]], count)
        kept = _chosen(keep, len(candidates.numbers)) if keep is not None else []
        _refuse_other_workflows(candidates, until, batch)
        made = [base.with_values(values) for values in candidates.cells]
        if refuse_problems(base, made, range(1, len(made) + 1)):
            ctx.exit(WRONG)
        files = CandidateFiles.of(writable(out), candidates.content, until)
        clients = [work.client, *work.others]
        runs = partial(work.runs, as_json)
        exploring = Exploration(runs, clients, candidates, until, files, as_json)
        exploring.estimate(batch)
        exploring.finish(kept)
        exploring.conclude()
        if exploring.stopped:
            click.echo(exploring.stopped, err=True)
        ctx.exit(FAILED if exploring.stopped or exploring.failed else 0)


def _refuse_other_workflows(candidates: Candidates, until: float, batch: int) -> None:
    """Raise `ExplorationError` where there is nothing to choose early, in any of the cells."""
    base = candidates.base
    for values in candidates.cells:
        graph = base.with_values(values).document.graph
        try:
            estimates_of(graph, base.catalogue, until)
            if batch > 1:
                check_batch(graph, base.catalogue)
        except RequestError as error:
            raise error.at(base.source.name) from None


def _chosen(keep: str, count: int) -> list[int]:
    """The candidates that ``1,5,9-12`` names, each once.

    Raises:
        KeepError: it names none, or one that is not there.
    """
    chosen: dict[int, None] = {}
    for part in keep.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,6})(?:\s*-\s*([0-9]{1,6}))?\s*", part)
        if not found:
            raise KeepError(
                f"'{part}' is no number of a candidate.",
                place=f"--keep {keep}",
                way_out="For example --keep 1,5,9-12.",
            )
        first = int(found[1])
        last = int(found[2] or first)
        if not 1 <= first <= last <= count:
            raise KeepError(
                f"there is no candidate {part.strip()}: they count from 1 to {count}.",
                place=f"--keep {keep}",
                way_out="Choose among them, or raise --seeds.",
            )
        chosen.update(dict.fromkeys(range(first, last + 1)))
    return list(chosen)
