"""What jobs save, as the database knows it: names reserved for files, and which nodes are done."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from nodeforge.engine.queue.database import digest_of
from nodeforge.engine.queue.rows import marks
from nodeforge.engine.queue.states import PENDING

RESERVED = "-"
"""In place of the digest of a file that is not there yet."""


def note(base: sqlite3.Connection, job: str, node: str, part: int, path: Path, digest: str) -> None:
    """Keep a name for a file of a job, in place of the one that was kept for it before.

    Args:
        part: Counts the files of the node, from 0.
        digest: Of the file; `RESERVED` where it is not there, empty where nobody has looked.
    """
    base.execute("DELETE FROM files WHERE job = ? AND node = ? AND part = ?", (job, node, part))
    query = "INSERT INTO files (job, node, part, path, digest) VALUES (?, ?, ?, ?, ?)"
    base.execute(query, (job, node, part, str(path), digest))


def name_of(base: sqlite3.Connection, job: str, node: str, part: int) -> tuple[Path, str] | None:
    """The name that is kept for a file, and its digest; None where none is."""
    query = "SELECT path, digest FROM files WHERE job = ? AND node = ? AND part = ?"
    row = base.execute(query, (job, node, part)).fetchone()
    return row and (Path(row[0]), row[1])


def names_in(base: sqlite3.Connection, folder: Path, job: str) -> list[str]:
    """Names in `folder` that are kept for `job`, and for jobs which have not ended."""
    states = tuple(PENDING)
    query = (
        "SELECT files.path FROM files JOIN jobs ON jobs.id = files.job"
        f" WHERE jobs.state IN ({marks(states)}) OR files.job = ?"
    )
    paths = (Path(path) for (path,) in base.execute(query, (*states, job)))
    return [path.name for path in paths if path.parent == folder]


def files_of(base: sqlite3.Connection, job: str = "") -> dict[str, list[Path]]:
    """The files that were saved, by job; of one job, or of all."""
    where, values = ("AND job = ?", (RESERVED, job)) if job else ("", (RESERVED,))
    query = f"SELECT job, path FROM files WHERE digest != ? {where} ORDER BY job, rowid"
    found: dict[str, list[Path]] = {}
    for each, path in base.execute(query, values).fetchall():
        found.setdefault(each, []).append(Path(path))
    return found


def expect(base: sqlite3.Connection, job: str, counts: Iterable[tuple[str, int | None]]) -> None:
    """Note which nodes of a job save something.

    Args:
        counts: Nodes, and how many files each makes; None where only a run can tell.
    """
    query = "SELECT node FROM saving WHERE job = ?"
    known = {node for (node,) in base.execute(query, (job,)).fetchall()}
    query = "INSERT INTO saving (job, node, count) VALUES (?, ?, ?)"
    made = [(job, node, -1 if n is None else n) for node, n in counts if node not in known]
    base.executemany(query, made)


def finish(base: sqlite3.Connection, job: str, node: str) -> None:
    """Note that a node has saved all that it saves."""
    base.execute("UPDATE saving SET done = 1 WHERE job = ? AND node = ?", (job, node))


def saved_nodes(base: sqlite3.Connection, job: str) -> dict[str, bool]:
    """Whether each node that saves something has done so, and all its files are still there."""
    query = "SELECT node, part, path, digest FROM files WHERE job = ? AND digest != ?"
    there: dict[str, list[bool]] = {}
    for node, _, path, digest in base.execute(query, (job, RESERVED)).fetchall():
        there.setdefault(node, []).append(is_file_of(Path(path), {digest}))
    query = "SELECT node, count, done FROM saving WHERE job = ?"
    return {
        node: all(there.get(node, ())) and bool(done or 0 <= count <= len(there.get(node, ())))
        for node, count, done in base.execute(query, (job,)).fetchall()
    }


def is_all_saved(base: sqlite3.Connection, job: str) -> bool:
    """Whether a job has made every file that it makes, so that it is done."""
    nodes = saved_nodes(base, job)
    return bool(nodes) and all(nodes.values())


def forget(base: sqlite3.Connection, job: str) -> None:
    """Let the names of a job go; files that are there stay."""
    for table in ("files", "saving"):
        base.execute(f"DELETE FROM {table} WHERE job = ?", (job,))


def is_file_of(path: Path, digests: set[str]) -> bool:
    """Whether a file is there with one of these digests; an empty one is any file's."""
    with contextlib.suppress(OSError):
        return path.is_file() if "" in digests else digest_of(path) in digests
    return False
