"""The SQLite database of saved results; the picture files stay where they were saved.

A database that another process holds is busy, not damaged. A damaged one is moved aside, and what
can be read from it is put into a new one. Neither keeps the window from opening.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from nodeforge.errors import NodeForgeError
from nodeforge.values.output_names import told

T = TypeVar("T")

_COLUMNS = {
    "id": "INTEGER PRIMARY KEY",
    "path": "TEXT NOT NULL UNIQUE",
    "workflow": "TEXT NOT NULL",
    "prompt": "TEXT NOT NULL",
    "seed": "TEXT NOT NULL",
    "made": "REAL NOT NULL",
    "favourite": "INTEGER NOT NULL DEFAULT 0",
    "thumbnail": "BLOB",
    "facts": "TEXT NOT NULL DEFAULT ''",
    "collections": "TEXT NOT NULL DEFAULT ''",
}
"""`favourite` is the number of stars, `collections` one name a line."""
_ADDED = ("facts", "collections")
"""Columns that databases of before do not have."""
MOST_STARS = 5
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS results"
    f" ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())})"
)
_NAMES = ", ".join(_COLUMNS)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NO_FAULT_OF_THE_FILE = _BUSY | {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_AUTH),
}
_UNREADABLE = (sqlite3.Error, UnicodeError)  # messages about a damaged schema are no UTF-8
_PATIENCE = 0.2
"""Seconds to wait for another process; the window's thread waits."""
_MOST_WAITING = 1000


class GalleryError(NodeForgeError):
    """The gallery's database cannot be read or written."""


@dataclass(frozen=True)
class Result:
    """One saved picture.

    Args:
        workflow: The name of the workflow that made it.
        made: Seconds since 1970.
        stars: From 0 to `MOST_STARS`.
        thumbnail: A small JPEG.
        facts: All else that made it, in words, for the search.
        collections: Names of the collections that it is in.
    """

    id: int
    path: Path
    workflow: str
    prompt: str
    seed: str
    made: float
    stars: int
    thumbnail: bytes
    facts: str = ""
    collections: tuple[str, ...] = ()


class ResultsDatabase:
    """The database; several windows may have it open.

    Args:
        file: The SQLite file; created if missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._base: sqlite3.Connection | None = None
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self.moved_aside: Path | None = None
        """Where a damaged database has been moved."""
        with contextlib.suppress(GalleryError):  # whoever asks for results is told
            self._do(lambda base: None)

    def add(
        self,
        path: Path,
        workflow: str,
        texts: Mapping[str, str],
        thumbnail: bytes,
        facts: str = "",
    ) -> None:
        """Add a picture; while the database is busy, it is added later.

        Args:
            texts: Text chunks of the picture; ``parameters`` holds prompt and seed.
            facts: What else made it, in words.

        Raises:
            GalleryError: the database cannot be written for another reason.
        """
        told_of = texts.get("parameters", "")
        prompt, seed = prompt_and_seed(told_of)
        found = f"{told_of}\n{facts}".strip()
        row = (str(path), workflow, prompt, seed, time.time(), thumbnail, found)
        self._waiting.append((_INSERT, row))
        del self._waiting[:-_MOST_WAITING]
        with contextlib.suppress(_BusyError):
            self._write_waiting()

    def find(
        self, text: str = "", *, stars: int = 0, collection: str = "", limit: int = 300
    ) -> list[Result]:
        """The newest results that contain all words of `text` in what made them or their path.

        Args:
            text: Words, in any order.
            stars: The least number of stars.
            collection: Of this collection alone; of all for an empty name.
            limit: How many at most.

        Raises:
            GalleryError: the database is busy, or cannot be read.
        """
        words = text.split()
        sought = " || ' ' || ".join(("prompt", "workflow", "seed", "path", "facts"))
        where = [f"({sought}) LIKE ? ESCAPE '\\'"] * len(words)
        where += ["favourite >= ?"] if stars else []
        where += ["instr(char(10) || collections || char(10), ?) > 0"] if collection else []
        clause = f"WHERE {' AND '.join(where)}" if where else ""
        query = f"SELECT {_NAMES} FROM results {clause} ORDER BY made DESC, id DESC LIMIT ?"
        values: list[object] = [f"%{_escaped(word)}%" for word in words]
        values += [stars] if stars else []
        values += [f"\n{collection}\n"] if collection else []
        self._write_waiting()
        rows = self._do(lambda base: base.execute(query, (*values, limit)).fetchall())
        return [result for row in rows if (result := _result(row)) is not None]

    def newest(self) -> Result | None:
        """The latest result."""
        found = self.find(limit=1)
        return found[0] if found else None

    def of(self, path: Path) -> Result | None:
        """The result of a file; None where it has none, or while the database is busy."""
        query = f"SELECT {_NAMES} FROM results WHERE path = ?"
        try:
            self._write_waiting()
            row = self._do(lambda base: base.execute(query, (str(path),)).fetchone())
        except GalleryError:
            return None
        return _result(row) if row is not None else None

    def prompts(self, limit: int = 200) -> list[str]:
        """Distinct prompts, newest first; none while the database is busy."""
        query = "SELECT prompt FROM results GROUP BY prompt ORDER BY MAX(id) DESC LIMIT ?"
        try:
            rows = self._do(lambda base: base.execute(query, (limit,)).fetchall())
        except GalleryError:
            return []
        return [prompt for (prompt,) in rows if isinstance(prompt, str)]

    def collections(self) -> list[str]:
        """The names of all collections, sorted; none while the database is busy."""
        query = "SELECT DISTINCT collections FROM results WHERE collections != ''"
        try:
            rows = self._do(lambda base: base.execute(query).fetchall())
        except GalleryError:
            return []
        return sorted({name for (names,) in rows for name in _names(names)}, key=str.casefold)

    def rate(self, result: Result, stars: int) -> None:
        """Give a result stars, from 0 to `MOST_STARS`.

        Raises:
            GalleryError: the database is busy, or cannot be written.
        """
        values = (min(max(stars, 0), MOST_STARS), result.id)
        self._do(lambda base: base.execute("UPDATE results SET favourite = ? WHERE id = ?", values))

    def put_in_collection(self, result: Result, name: str, *, member: bool) -> None:
        """Put a result into a collection, or take it out; a collection without results is gone.

        Raises:
            GalleryError: the database is busy, or cannot be written.
        """
        others = [each for each in result.collections if each != name]
        names = "\n".join([*others, name] if member else others)
        query = "UPDATE results SET collections = ? WHERE id = ?"
        self._do(lambda base: base.execute(query, (names, result.id)))

    def remove(self, result: Result) -> None:
        """Remove a result; its file is kept.

        Raises:
            GalleryError: the database is busy, or cannot be written.
        """
        self._do(lambda base: base.execute("DELETE FROM results WHERE id = ?", (result.id,)))

    def restore(self, result: Result) -> None:
        """Put a removed result back, as it was.

        Raises:
            GalleryError: the database is busy, or cannot be written.
        """
        row = (
            *(None, str(result.path), result.workflow, result.prompt, result.seed, result.made),
            *(result.stars, result.thumbnail, result.facts, "\n".join(result.collections)),
        )
        query = f"INSERT OR REPLACE INTO results ({_NAMES}) VALUES ({_MARKS})"
        self._do(lambda base: base.execute(query, row))

    def close(self) -> None:
        with contextlib.suppress(GalleryError):
            self._write_waiting()
        self._disconnect()

    def _write_waiting(self) -> None:
        def write(base: sqlite3.Connection) -> None:
            for statement, values in self._waiting:
                base.execute(statement, values)

        if self._waiting:
            self._do(write)
            self._waiting.clear()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` gives for the connection, in a transaction; a damaged file is replaced."""
        for attempt in (1, 2):
            try:
                with self._connected() as base:
                    return work(base)
            except _UNREADABLE as error:
                if _code(error) in _BUSY:
                    raise _BusyError(
                        "another program holds the gallery.", way_out="Try again in a moment."
                    ) from error
                if self._is_no_fault_of_the_file(error) or attempt == 2:
                    raise GalleryError(
                        f"the gallery cannot be read or written: {error}.",
                        place=str(self._file),
                        way_out="Make room on the disk, or make the file writable.",
                    ) from error
                self._replace_damaged()
        raise AssertionError("it is done or raised")

    def _is_no_fault_of_the_file(self, error: Exception) -> bool:
        code = _code(error)
        if code == sqlite3.SQLITE_READONLY:  # also said of a header with unknown versions
            return not os.access(self._file, os.W_OK)
        return code in _NO_FAULT_OF_THE_FILE

    def _connected(self) -> sqlite3.Connection:
        if self._base is None:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise GalleryError(
                    f"the gallery cannot be made: {error.strerror}.", place=str(self._file)
                ) from error
            self._base = _connect(str(self._file))
            self._base.execute(_SCHEMA)
            self._add_columns(self._base)
            self._base.execute(f"SELECT {_NAMES} FROM results LIMIT 1")  # with all its columns
            self._base.commit()
        return self._base

    def _add_columns(self, base: sqlite3.Connection) -> None:
        """Give a database of before the columns that were added since."""
        there = {row[1] for row in base.execute("PRAGMA table_info(results)")}
        for name in _ADDED:
            if name not in there:
                base.execute(f"ALTER TABLE results ADD COLUMN {name} {_COLUMNS[name]}")

    def _disconnect(self) -> None:
        if self._base is not None:
            self._base.close()
            self._base = None

    def _replace_damaged(self) -> None:
        """Move the database aside and make a new one of what can be read."""
        self._disconnect()
        aside = _free_name(self._file)
        for end in ("-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                Path(f"{self._file}{end}").replace(f"{aside}{end}")
        try:
            self._file.replace(aside)
        except OSError as error:
            raise GalleryError(
                f"the gallery is damaged and cannot be moved aside: {error.strerror}.",
                place=str(self._file),
            ) from error
        self.moved_aside = aside
        rows = _readable_rows(aside)
        with self._connected() as base:
            base.executemany(f"INSERT OR IGNORE INTO results ({_NAMES}) VALUES ({_MARKS})", rows)


class _BusyError(GalleryError):
    """Another process holds the database."""


_MARKS = ", ".join("?" * len(_COLUMNS))
_INSERT = (
    "INSERT OR REPLACE INTO results (path, workflow, prompt, seed, made, thumbnail, facts)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    base = sqlite3.connect(name, timeout=_PATIENCE, uri=uri)
    base.text_factory = lambda data: data.decode("utf-8", "replace")
    return base


def _code(error: Exception) -> int:
    """SQLite's primary error code; 0 where the error is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _free_name(file: Path) -> Path:
    for number in count(1):
        aside = file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")
        if not aside.exists():
            return aside
    raise AssertionError("names do not end")


def _readable_rows(file: Path) -> list[tuple[Any, ...]]:
    """The rows of a damaged database that can be read, from both ends of the table."""
    found: dict[Any, tuple[Any, ...]] = {}
    with (
        contextlib.suppress(*_UNREADABLE),
        contextlib.closing(_connect(f"{file.as_uri()}?mode=ro", uri=True)) as base,
    ):
        there = {row[1] for row in base.execute("PRAGMA table_info(results)")}
        names = [name if name in there else "NULL" for name in _COLUMNS]
        for order in ("ASC", "DESC"):
            with contextlib.suppress(*_UNREADABLE):
                query = f"SELECT {', '.join(names)} FROM results ORDER BY rowid {order}"
                for row in base.execute(query):
                    found.setdefault(row[1], row)
        if not found:  # the index on the paths has pages of its own
            with contextlib.suppress(*_UNREADABLE):
                query = "SELECT path FROM results INDEXED BY sqlite_autoindex_results_1"
                for (path,) in base.execute(query):
                    found[path] = (None, path, *[None] * (len(_COLUMNS) - 2))
    return [whole for row in found.values() if (whole := _whole_row(row)) is not None]


def _whole_row(row: Iterable[Any]) -> tuple[Any, ...] | None:
    """A row with what is missing filled in; None where it names no picture."""
    number, path, workflow, prompt, seed, made, stars, thumbnail, facts, collections = row
    if not isinstance(path, str) or not path or "\0" in path:
        return None
    texts = (each if isinstance(each, str) else "" for each in (workflow, prompt, seed))
    return (
        number if isinstance(number, int) else None,
        path,
        *texts,
        float(made) if isinstance(made, int | float) else 0.0,
        min(max(stars, 0), MOST_STARS) if isinstance(stars, int) else 0,
        thumbnail if isinstance(thumbnail, bytes) else b"",
        facts if isinstance(facts, str) else "",
        collections if isinstance(collections, str) else "",
    )


def _result(row: tuple[Any, ...]) -> Result | None:
    whole = _whole_row(row)
    if whole is None:
        return None
    number, path, *texts, made, stars, thumbnail, facts, collections = whole
    workflow, prompt, seed = texts
    return Result(
        *(number, Path(path), workflow, prompt, seed, made, stars, thumbnail, facts),
        tuple(_names(collections)),
    )


def _names(collections: object) -> list[str]:
    return [name for name in str(collections).split("\n") if name]


def _escaped(word: str) -> str:
    """A word for LIKE, where these characters have a meaning."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def prompt_and_seed(parameters: str) -> tuple[str, str]:
    """Prompt and seed of A1111-style `parameters`; empty if missing."""
    prompt, facts = told(parameters)
    return prompt, facts.get("Seed", "")
