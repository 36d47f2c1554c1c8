"""The database of the queue: its tables and limits. Window and command line share it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeforge.engine.queue import job as jobs
from nodeforge.errors import RequestError
from nodeforge.settings.sqlite_file import Schema, Table

FILE = "queue.sqlite"
_PATIENCE = 10.0
"""Seconds to wait for another process, which holds the database for milliseconds."""


class QueueError(RequestError):
    """What was asked of the queue is wrong."""


class NoSuchJobError(QueueError):
    """There is no job of that id."""


class QueueFullError(QueueError):
    """The queue holds as much as it may."""


@dataclass(frozen=True)
class Limits:
    """How much the queue keeps.

    Args:
        pending: Jobs that have not ended.
        ended: Jobs that have ended; the oldest are removed, their files stay.
        bytes: Of the database and the logs.
    """

    pending: int = 5_000
    ended: int = 500
    bytes: int = 2**30


def _as_it_is(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return row if isinstance(row[0], str) and row[0] else None


def _file_row(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    job, node, part, path, digest = row
    texts = all(isinstance(each, str) for each in (job, node, path))
    return (job, node, part, path, str(digest or "")) if texts and isinstance(part, int) else None


def _saving_row(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    job, node, count, done = row
    if not (isinstance(job, str) and isinstance(node, str)):
        return None
    return (job, node, count if isinstance(count, int) else -1, int(done == 1))


SCHEMA = Schema(
    title="the job queue",
    tables={
        "jobs": Table(jobs.COLUMNS, jobs.whole_row),
        # Names of files, reserved before they are there: `part` counts the files of one node.
        "files": Table(
            {
                "job": "TEXT NOT NULL",
                "node": "TEXT NOT NULL",
                "part": "INTEGER NOT NULL",
                "path": "TEXT NOT NULL",
                "digest": "TEXT NOT NULL DEFAULT ''",
            },
            _file_row,
        ),
        # Nodes that save something: how many files, -1 where unknown, and whether all were made.
        "saving": Table(
            {
                "job": "TEXT NOT NULL",
                "node": "TEXT NOT NULL",
                "count": "INTEGER NOT NULL DEFAULT -1",
                "done": "INTEGER NOT NULL DEFAULT 0",
            },
            _saving_row,
        ),
        # Whether the queue is paused, and who runs it.
        "state": Table(
            {"name": "TEXT PRIMARY KEY NOT NULL", "value": "TEXT NOT NULL DEFAULT ''"}, _as_it_is
        ),
        "durations": Table(
            {"plan": "TEXT PRIMARY KEY NOT NULL", "seconds": "REAL NOT NULL DEFAULT 0"}, _as_it_is
        ),
    },
    version=1,
    settings=("journal_mode = WAL", "synchronous = FULL"),
    patience=_PATIENCE,
)


def database_file(home: Path) -> Path:
    """Where the queue of a user's folder is."""
    return home / FILE


def digest_of(path: Path) -> str:
    """BLAKE2b of a file's content, by which the queue knows the files it has made.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
