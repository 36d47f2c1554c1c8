"""Sweeps and explorations as groups of jobs in the queue: what is queued, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nodeforge.engine.planning.plan import default_targets
from nodeforge.engine.queue.estimates import plan_of
from nodeforge.engine.queue.job import Job, JobGroup, NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.sweeps.axes import Axis, AxisValue
from nodeforge.engine.sweeps.cells import Cell, CellValue, run_order
from nodeforge.engine.sweeps.exploration import EXPLORATION, estimates_of, make_candidate, upstream
from nodeforge.engine.sweeps.results import CellResult
from nodeforge.formats import read, write
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.graph.history import History
from nodeforge.spec import Catalogue

SWEEP = "sweep"
"""The kind of the group of jobs that a sweep is."""
STAR = "star"
"""In the place of a candidate's job: whether the person has chosen it."""


def copied(document: Document) -> Document:
    """A copy of a workflow without its history."""
    return replace(
        document,
        graph=deepcopy(document.graph),
        view=deepcopy(document.view),
        assets=dict(document.assets),
        lock=deepcopy(document.lock),
        history=History(),
    )


def with_cell(document: Document, cell: Cell) -> Document:
    """Give `document` the values of a cell, and return it."""
    for each in cell.values:
        document.node(each.axis.path).values[each.axis.port] = each.value
    return document


def cell_jobs(
    base: NewJob,
    document: Document,
    catalogue: Catalogue,
    cells: Sequence[Cell],
    group: str,
    *,
    together: bool = False,
) -> list[NewJob]:
    """A job for each cell of a sweep, in the order in which they run.

    Args:
        base: What all have in common; its document is not read.
        document: The workflow.
        catalogue: Declares its nodes.
        cells: One at least.
        group: Names the sweep.
        together: The axes change as one.
    """
    made = []
    run = copied(document)  # one for all: every cell sets every axis
    for cell in run_order(cells):
        with_cell(run, cell)
        told = tuple(f"{name}={text}" for name, text in cell.settings.items())
        job = replace(
            base,
            name=f"{base.name}, {', '.join(told)}",
            document=write(run).decode(),
            overrides=told,
            plan=plan_of(run, catalogue),
            group=JobGroup(SWEEP, group, _place(cell, base.name, together, len(cells))),
        )
        made.append(job)
    return made


def _place(cell: Cell, title: str, together: bool, of: int) -> dict[str, Any]:
    return {
        "title": title,
        "number": cell.number,
        "of": of,
        "page": cell.page,
        "row": cell.row,
        "column": cell.column,
        "values": [[each.axis.name, each.text] for each in cell.values],
        "together": together,
    }


def cell_of(place: Any) -> Cell | None:
    """The cell that a job of a sweep is, from its place; None where that is damaged."""
    try:
        number, page, row, column = (int(place[n]) for n in ("number", "page", "row", "column"))
        values = [(str(name), str(text)) for name, text in place["values"]]
    except (LookupError, TypeError, ValueError):
        return None
    known = [Axis(name, *_split(name), (AxisValue(text, text),)) for name, text in values]
    told = [CellValue(axis, *axis.values[0]) for axis in known]
    return Cell(number, page, row, column, tuple(told)) if told else None


def _split(name: str) -> tuple[str, str]:
    path, _, port = name.rpartition(".")
    return path, port


def result_of(job: Job) -> CellResult | None:
    """What the job of a cell came to; None where it is none."""
    cell = cell_of(job.group.place) if job.group is not None else None
    if cell is None:
        return None
    error = str(job.error) if job.error is not None else ""
    return CellResult(cell, job.files, job.seconds, job.model_calls, (), error)


def candidate_jobs(
    base: NewJob, document: Document, catalogue: Catalogue, seeds: int, until: float, group: str
) -> list[NewJob]:
    """A job for the estimate of each candidate of an exploration.

    Its workflow is the whole candidate's; of that, the first steps are run (`Attempt`).

    Args:
        base: What all have in common; its document is not read.
        document: The workflow.
        catalogue: Declares its nodes.
        seeds: How many candidates.
        until: The share of the steps after which they are compared, more than 0 and less than 1.
        group: Names the exploration.

    Raises:
        ExplorationError: there is nothing to choose early.
    """
    estimates_of(document.graph, catalogue, until)
    plan = plan_of(document, catalogue, [f"estimate at {until}"])
    made = []
    for number in range(1, seeds + 1):
        run = copied(document)
        told = make_candidate(run, catalogue, number)
        place = {
            "title": base.name,
            "number": number,
            "of": seeds,
            "until": float(until),
            "seeds": told,
        }
        job = replace(
            base,
            name=f"{base.name}, candidate {number}",
            document=write(run).decode(),
            seed=next(iter(told.values()), None),
            plan=plan,
            group=JobGroup(EXPLORATION, group, place),
        )
        made.append(job)
    return made


def finishing_job(estimate: Job, text: str, outputs: Path | None, catalogue: Catalogue) -> NewJob:
    """The job that runs the rest of a candidate's steps, before all that waits.

    Args:
        estimate: The job of its estimate.
        text: The workflow of that.
        outputs: Where the finished picture is saved.
        catalogue: Declares the workflow's nodes.

    Raises:
        WorkflowError: `text` cannot be read.
    """
    assert estimate.group is not None
    place = {n: value for n, value in estimate.group.place.items() if n not in ("until", STAR)}
    return NewJob(
        name=estimate.name,
        document=text,
        granted=estimate.granted,
        outputs=outputs,
        seed=estimate.seed,
        priority=estimate.priority + 1,
        source=estimate.source,
        plan=plan_of(read(text, estimate.name), catalogue),
        group=JobGroup(EXPLORATION, estimate.group.id, place | {"finish": True}),
    )


def set_star(queue: JobQueue, job_id: str, on: bool) -> None:
    """Keep whether a candidate was chosen, with the job of its estimate.

    Raises:
        NoSuchJobError: the job was removed.
        DatabaseError: the queue cannot be written.
    """
    queue.set_place(job_id, **{STAR: on})


def is_estimate(job: Job) -> bool:
    """Whether a job makes the estimate of a candidate, and not a finished picture."""
    group = job.group
    return group is not None and group.kind == EXPLORATION and "until" in (group.place or ())


@dataclass(frozen=True)
class Forecast:
    """What a sweep will take.

    Args:
        cells: How many runs.
        seconds: How long, with all that cells have in common done once; None where a node that
            runs a network has not been measured.
    """

    cells: int
    seconds: float | None


def forecast(
    document: Document,
    catalogue: Catalogue,
    axes: Sequence[Axis],
    costs: Mapping[str, float],
    *,
    together: bool = False,
) -> Forecast:
    """How many cells `axes` make, and about how long they take.

    A node is computed once for each combination of the values of the axes that it depends on.

    Args:
        document: The workflow.
        catalogue: Declares its nodes.
        axes: None for a single run.
        costs: Seconds that nodes took, by path.
        together: The axes change as one.
    """
    lengths = [len(axis.values) for axis in axes]
    cells = max(lengths, default=1) if together else math.prod(lengths)
    flat = flatten(document.graph, catalogue)
    needed = dict.fromkeys(n for end in default_targets(flat) for n in upstream(flat, end))
    specs = {node: flat.nodes[node].spec for node in needed}
    if any(spec and spec.runs_network and node not in costs for node, spec in specs.items()):
        return Forecast(cells, None)
    seconds = 0.0
    for node in needed:
        if not (cost := costs.get(node, 0.0)):
            continue
        spec, feeds = specs[node], set(upstream(flat, node))
        counts = [n for axis, n in zip(axes, lengths, strict=True) if _touches(axis, feeds)]
        times = max(counts, default=1) if together else math.prod(counts)
        seconds += cost * (cells if spec is not None and spec.effects else times)
    return Forecast(cells, seconds)


def _touches(axis: Axis, nodes: Iterable[str]) -> bool:
    """Whether an axis is of one of the nodes, or of a subgraph around one."""
    return any(node == axis.path or node.startswith(f"{axis.path}/") for node in nodes)
