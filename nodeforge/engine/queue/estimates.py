"""How long jobs will take, from those of the same plan that have run."""

from __future__ import annotations

import hashlib
import json
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
    pending: Sequence[Job], durations: Mapping[str, float], now: float, *, left: float | None = None
) -> dict[str, Expected]:
    """When each job starts and ends, by its id.

    Args:
        pending: The jobs that have not ended, in their order; those that are paused get no time.
        durations: `JobQueue.durations`.
        now: Seconds since 1970.
        left: What the running job still needs, where that is known better.
    """
    found: dict[str, Expected] = {}
    time: float | None = now
    for job in pending:
        if job.state is State.PAUSED:
            found[job.id] = Expected(None, None)
            continue
        seconds = seconds_of(job, durations)
        start = time
        if job.state is State.RUNNING:
            start = job.started
            if left is not None:
                seconds = left
            elif seconds is not None:
                seconds = max(0.0, seconds - job.seconds - (now - (start or now)))
        elif seconds is not None:
            seconds = max(0.0, seconds - job.seconds)
        time = None if time is None or seconds is None else time + seconds
        found[job.id] = Expected(start, time)
    return found
