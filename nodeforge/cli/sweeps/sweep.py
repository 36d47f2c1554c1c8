"""`nodeforge sweep`: one workflow over axes of values, as a grid of pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nodeforge.cli.main import FAILED, WRONG
from nodeforge.cli.sweeps.cells import (
    CellRun,
    Workflow,
    assignments_of,
    cells_of,
    opened,
    refuse_problems,
)
from nodeforge.cli.sweeps.runs import Runs
from nodeforge.cli.workflow import options
from nodeforge.cli.workflow.prepared import writable
from nodeforge.engine.queue.placement import models_of
from nodeforge.engine.sweeps.cells import Cell, run_order
from nodeforge.formats.graph_json import graph_to_json

if TYPE_CHECKING:
    from nodeforge.engine.running.context import RunRequest
    from nodeforge.engine.sweeps.results import CellResult


@click.command("sweep")
@options.WORKFLOW
@options.axes(
    "Values in CSV quoting, FROM:TO:STEP for numbers, or @FILE with one value a line. The "
    "first axis gives rows, the second columns, further ones pages.",
    required=True,
)
@options.TOGETHER
@options.SKIPS
@options.ASSIGNMENTS
@options.SEED
@options.out()
@options.DEVICE
@options.ON
@options.WORKERS
@options.as_json("One cell a line on stdout.")
@click.pass_context
def command(
    ctx: click.Context,
    workflow: Path,
    axes: tuple[str, ...],
    together: bool,
    skips: tuple[str, ...],
    assignments: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    device: str | None,
    cluster: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run WORKFLOW with every combination of the values of its axes.

    Each cell saves its own pictures, which reproduce by themselves; beside them come a labelled
    grid, a contact sheet in HTML and a table of settings and times. Cells share all work that
    they have in common.
    """
    with opened(ctx, workflow, assignments, seed, cluster or device, workers) as work:
        cells = cells_of(work.workflow, axes, together, skips)
        made = [work.workflow.with_values(assignments_of(cell)) for cell in cells]
        if refuse_problems(work.workflow, made, [cell.number for cell in cells]):
            ctx.exit(WRONG)
        folder = writable(out or work.workflow.settings.outputs)
        runs = work.runs(as_json)
        results = _run(runs, work.workflow, cells, made, folder, as_json)
        if results:
            _show(work.workflow.source.stem, results, folder, together, as_json)
        if runs.stopped:
            click.echo(runs.stopped, err=True)
        ctx.exit(FAILED if runs.stopped or any(each.error for each in results) else 0)


def _run(
    runs: Runs,
    base: Workflow,
    cells: Sequence[Cell],
    made: Sequence[CellRun],
    folder: Path,
    as_json: bool,
) -> list[CellResult]:
    """Run the cells; gives the results of those that were, in the grid's order."""
    from nodeforge.engine.sweeps.results import CellResult

    by_number = {cell.number: run for cell, run in zip(cells, made, strict=True)}
    results: list[CellResult] = []
    ordered = {cell.number: cell for cell in run_order(cells)}

    def begin(number: int) -> tuple[dict[str, Any], RunRequest]:
        settings = ordered[number].settings
        told = ", ".join(f"{name}={value}" for name, value in settings.items())
        click.echo(f"Cell {number} of {len(cells)}: {told}", err=True)
        run = by_number[number]
        request = base.request(run, folder)  # before the graph: it may note companions
        return graph_to_json(run.document.graph), request

    models = {number: models_of(run.document, base.catalogue) for number, run in by_number.items()}
    for number, outcome in runs.run_all(list(ordered), models, begin):
        told = asdict(outcome)
        del told["checkpoints"]
        results.append(CellResult(ordered[number], **told))
        _tell(results[-1], as_json)
    return sorted(results, key=lambda each: each.cell.number)


def _tell(result: CellResult, as_json: bool) -> None:
    if as_json:
        _line(
            {
                "event": "cell",
                "cell": result.cell.number,
                "settings": result.cell.settings,
                "outputs": [str(file) for file in result.files],
                "seconds": result.seconds,
                "model_calls": result.model_calls,
                "computed": list(result.computed),
                "error": result.error,
            }
        )
        return
    for file in result.files:
        click.echo(file)
    if result.error:
        click.echo(result.error, err=True)


def _show(
    name: str, results: Sequence[CellResult], folder: Path, together: bool, as_json: bool
) -> None:
    """Write grid, contact sheet and table, and print where they are."""
    from nodeforge.engine.sweeps.contact_sheet import sheet
    from nodeforge.engine.sweeps.grid import pages
    from nodeforge.engine.sweeps.results import table
    from nodeforge.imaging import write_new

    grids = [
        write_new(folder, f"sweep_{{}}{f'_page{number}' if number > 1 else ''}.png", page)
        for number, page in enumerate(pages(results, together), 1)
    ]
    made = sheet(f"Sweep of {name}", results, folder, together)
    html = write_new(folder, "sweep_{}.html", made)
    csv = write_new(folder, "sweep_{}.csv", table(results, folder))
    if not as_json:
        for path in (*grids, html, csv):
            click.echo(path)
        return
    _line(
        {
            "event": "sweep_finished",
            "cells": len(results),
            "failed": sum(bool(each.error) for each in results),
            "model_calls": sum(each.model_calls for each in results),
            "grids": [str(path) for path in grids],
            "html": str(html),
            "csv": str(csv),
        }
    )


def _line(raw: dict[str, Any]) -> None:
    click.echo(json.dumps(raw))
