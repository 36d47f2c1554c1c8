"""How long jobs will take, from those of the same plan that have run."""

from __future__ import annotations

import hashlib
import heapq
import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.states import State
from nodeforge.graph.document import Document
from nodeforge.graph.inline import inline
from nodeforge.spec import Catalogue, SeedWidget
from nodeforge.spec.widget import TextWidget

_NEW_SHARE = 0.5
"""How much the last job counts against those before it."""
_KEPT = 1000


@dataclass(frozen=True)
class Expected:
    """When a job is expected to run, in seconds since 1970; None where that is unknown."""

    start: float | None
    end: float | None


def plan_of(document: Document, catalogue: Catalogue, targets: Sequence[str] = ()) -> str:
    """Names what jobs have in common that take about equally long: all but seeds and texts."""
    whole = inline(document.graph)
    told = []
    for path, node in sorted(whole.nodes.items()):
        spec = catalogue.get(node.type)
        ports = {port.name: port.widget for port in spec.inputs} if spec else {}
        counted = {
            name: value
            for name, value in node.values.items()
            if not isinstance(ports.get(name), SeedWidget | TextWidget)
        }
        told.append([path, node.type, str(node.mode), counted])
    links = sorted([str(end), str(start)] for end, start in whole.links.items())
    text = json.dumps([told, links, list(targets)], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def remembered(base: sqlite3.Connection, plan: str, seconds: float) -> None:
    """Keep how long a job of `plan` took."""
    known = base.execute("SELECT seconds FROM durations WHERE plan = ?", (plan,)).fetchone()
    if known is not None:
        seconds = _NEW_SHARE * seconds + (1 - _NEW_SHARE) * known[0]
    base.execute("INSERT OR REPLACE INTO durations (plan, seconds) VALUES (?, ?)", (plan, seconds))
    forget = "SELECT rowid FROM durations ORDER BY rowid DESC LIMIT -1 OFFSET ?"
    base.execute(f"DELETE FROM durations WHERE rowid IN ({forget})", (_KEPT,))


def seconds_of(job: Job, durations: Mapping[str, float]) -> float | None:
    """How long a job takes in all; None where nothing is known of it."""
    return durations.get(job.plan, job.estimate)


def expected_times(
    pending: Sequence[Job],
    durations: Mapping[str, float],
    now: float,
    *,
    left: Mapping[str, float] | None = None,
    workers: int = 1,
) -> dict[str, Expected]:
    """When each job starts and ends, by its id.

    Args:
        pending: The jobs that have not ended, in their order; those that are paused get no time.
        durations: `JobQueue.durations`.
        now: Seconds since 1970.
        left: What running jobs still need, by id, where that is known better.
        workers: How many run at a time; as many as do so now at least.
    """
    found: dict[str, Expected] = {}
    running = [job for job in pending if job.state is State.RUNNING]
    for job in running:
        start = now if job.started is None else job.started
        known = seconds_of(job, durations)
        rest = None if known is None else max(0.0, known - job.seconds - (now - start))
        rest = (left or {}).get(job.id, rest)
        found[job.id] = Expected(job.started, None if rest is None else now + rest)
    ends = [found[job.id].end for job in running]
    free = [math.inf if end is None else end for end in ends]
    free += [now] * (max(1, workers) - len(running))
    heapq.heapify(free)
    for job in pending:
        if job.state is State.PAUSED:
            found[job.id] = Expected(None, None)
        elif job.state is not State.RUNNING:
            start, seconds = free[0], seconds_of(job, durations)
            end = math.inf if seconds is None else start + max(0.0, seconds - job.seconds)
            heapq.heapreplace(free, end)
            found[job.id] = Expected(_known(start), _known(end))
    return found


def _known(time: float) -> float | None:
    return None if time == math.inf else time
