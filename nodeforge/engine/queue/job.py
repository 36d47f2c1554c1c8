"""One job: a run of a workflow, as the database keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.states import State


@dataclass(frozen=True)
class JobGroup:
    """The sweep or exploration that a job is one run of.

    Args:
        kind: ``sweep`` or ``exploration``.
        id: Names it.
        place: Which of its jobs this is, plain JSON.
    """

    kind: str
    id: str
    place: Any = None


@dataclass(frozen=True)
class NewJob:
    """What is queued.

    Args:
        name: The workflow's, for people.
        document: The workflow as a file's text, with its format number; overrides are in it.
        targets: Nodes whose results are wanted; empty for all that save or show something.
        granted: Paths that the person gave.
        outputs: Where results are saved; None leaves that to the runner.
        overrides: What was set on the command line, for people: ``prompt.text=a fox``.
        seed: The seed that was set; None where none was.
        priority: Jobs of a higher one run first.
        source: Names the workflow among others: its file, or an id of the window's.
        plan: Jobs of one plan take about equally long (`nodeforge.engine.queue.estimates`).
        estimate: Expected seconds, where no job of the plan has run yet; None where unknown.
        group: What it is part of.
    """

    name: str
    document: str
    targets: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    outputs: Path | None = None
    overrides: tuple[str, ...] = ()
    seed: int | None = None
    priority: int = 0
    source: str = ""
    plan: str = ""
    estimate: float | None = None
    group: JobGroup | None = None


@dataclass(frozen=True)
class Job:
    """A job in the database, without its document.

    Args:
        id: Eight hexadecimal digits; also in the metadata of the files it saves.
        format: The format of its document.
        position: Its place among jobs of one priority.
        wanted: What the runner is asked to do with it while it runs: a state, or empty.
        queued, started, ended: Seconds since 1970; None where that has not been.
        seconds: How long it has run, over all attempts that ended.
        attempts: How often it was started.
        deaths: How often its process died since it last made progress.
        error: Why it failed; kept until it runs again.
        runner: The lease under which it runs.
        worker: Which of several workers runs it, or ran it last: ``worker 2, cuda:1``.
    """

    id: str
    name: str
    state: State
    format: int = 0
    targets: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    outputs: Path | None = None
    overrides: tuple[str, ...] = ()
    seed: int | None = None
    priority: int = 0
    position: int = 0
    wanted: str = ""
    source: str = ""
    plan: str = ""
    estimate: float | None = None
    group: JobGroup | None = None
    error: ErrorReport | None = None
    queued: float = 0.0
    started: float | None = None
    ended: float | None = None
    seconds: float = 0.0
    attempts: int = 0
    deaths: int = 0
    model_calls: int = 0
    runner: str = ""
    worker: str = ""
    log: str = ""
    checkpoints: tuple[str, ...] = ()
    """Files of the cache from which it goes on, or others do: of its last attempt."""
    files: tuple[Path, ...] = field(default=(), compare=False)
    """What it has saved, where that was asked for."""

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        raw = asdict(self)
        raw["outputs"] = str(self.outputs) if self.outputs else None
        raw["files"] = [str(path) for path in self.files]
        del raw["runner"], raw["wanted"], raw["checkpoints"]
        return raw


COLUMNS = {
    "id": "TEXT PRIMARY KEY NOT NULL",
    "name": "TEXT NOT NULL DEFAULT ''",
    "state": "TEXT NOT NULL",
    "format": "INTEGER NOT NULL DEFAULT 0",
    "document": "TEXT NOT NULL",
    "targets": "TEXT NOT NULL DEFAULT '[]'",
    "granted": "TEXT NOT NULL DEFAULT '[]'",
    "outputs": "TEXT NOT NULL DEFAULT ''",
    "overrides": "TEXT NOT NULL DEFAULT '[]'",
    "seed": "INTEGER DEFAULT NULL",
    "priority": "INTEGER NOT NULL DEFAULT 0",
    "position": "INTEGER NOT NULL DEFAULT 0",
    "wanted": "TEXT NOT NULL DEFAULT ''",
    "source": "TEXT NOT NULL DEFAULT ''",
    "plan": "TEXT NOT NULL DEFAULT ''",
    "estimate": "REAL DEFAULT NULL",
    "part_of": "TEXT NOT NULL DEFAULT 'null'",
    "error": "TEXT NOT NULL DEFAULT 'null'",
    "assets": "TEXT NOT NULL DEFAULT '[]'",
    "queued": "REAL NOT NULL DEFAULT 0",
    "started": "REAL DEFAULT NULL",
    "ended": "REAL DEFAULT NULL",
    "seconds": "REAL NOT NULL DEFAULT 0",
    "attempts": "INTEGER NOT NULL DEFAULT 0",
    "deaths": "INTEGER NOT NULL DEFAULT 0",
    "model_calls": "INTEGER NOT NULL DEFAULT 0",
    "runner": "TEXT NOT NULL DEFAULT ''",
    "worker": "TEXT NOT NULL DEFAULT ''",
    "log": "TEXT NOT NULL DEFAULT ''",
    "checkpoints": "TEXT NOT NULL DEFAULT '[]'",
}
"""Columns of the table of jobs. `assets`: SHA-256 of the files that the document names."""

SHOWN = tuple(name for name in COLUMNS if name not in ("document", "assets"))
"""The columns that a `Job` is made of."""
_LISTS = ("targets", "granted", "overrides", "checkpoints")
_DEFAULTS = {f.name: f.default for f in fields(Job)}


@lru_cache(maxsize=8192)
def job_from_row(row: tuple[Any, ...]) -> Job:
    """A job from its `SHOWN` columns; one object for equal rows, as most of a long queue stay.

    Args:
        row: Texts as they are in the file, in UTF-8; what is damaged of them is replaced.
    """
    texts = (each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in row)
    raw: dict[str, Any] = dict(zip(SHOWN, texts, strict=True))
    for name in _LISTS:
        raw[name] = tuple(map(str, _parsed(raw[name], list) or ()))
    group, error = _parsed(raw.pop("part_of"), dict), _parsed(raw["error"], dict)
    raw["group"] = _made(JobGroup, group)
    raw["error"] = _made(ErrorReport, error)
    raw["outputs"] = Path(raw["outputs"]) if raw["outputs"] else None
    raw["state"] = State(raw["state"])
    return Job(**raw)


def _parsed(text: str, kind: type) -> Any:
    """A JSON value of the kind that a column has; None for another, as after damage."""
    if text in ("[]", "null"):  # most of them
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None


def _made(kind: Any, raw: Mapping[str, Any] | None) -> Any:
    """A dataclass from JSON; fields of newer versions are left out."""
    if raw is None:
        return None
    names = {f.name for f in fields(kind)}
    try:
        return kind(**{name: value for name, value in raw.items() if name in names})
    except TypeError:
        return None


def whole_row(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """A row of a damaged database with what cannot be read left out; None without a document.

    A job that ran is one that waits: nobody knows what has become of it.
    """
    raw = dict(zip(COLUMNS, row, strict=True))
    if not (isinstance(raw["id"], str) and raw["id"] and isinstance(raw["document"], str)):
        return None
    if raw["state"] not in set(State):
        raw["state"] = State.PAUSED
    if raw["state"] == State.RUNNING:
        raw["state"], raw["runner"] = State.WAITING, ""
    for name, kind in COLUMNS.items():
        if not _fits(raw[name], kind):
            raw[name] = _default(kind)
    return tuple(raw.values())


_PYTHON = {"TEXT": str, "INTEGER": int, "REAL": (int, float)}


def _fits(value: Any, kind: str) -> bool:
    if value is None:
        return "NOT NULL" not in kind
    return isinstance(value, _PYTHON[kind.split()[0]])


def _default(kind: str) -> Any:
    text = kind.partition("DEFAULT ")[2]
    if text.startswith("'"):
        return text.strip("'")
    return None if text in ("", "NULL") else int(text)
