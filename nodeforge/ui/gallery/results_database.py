"""The SQLite database of saved results; the picture files stay where they were saved.

A database that another process holds is busy, not damaged. A damaged one is moved aside, and what
can be read from it is put into a new one. Neither keeps the window from opening.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nodeforge.errors import NodeForgeError
from nodeforge.settings.sqlite_file import BusyError, DatabaseError, Schema, SqliteFile, Table
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
    "seconds": "REAL NOT NULL DEFAULT 0",
}
"""`favourite` is the number of stars, `collections` one name a line."""
MOST_STARS = 5
_NAMES = ", ".join(_COLUMNS)
_MOST_WAITING = 1000


class GalleryError(NodeForgeError):
    """The gallery's database cannot be read or written."""


@dataclass(frozen=True)
class Result:
    """One saved picture, video or sound.

    Args:
        workflow: The name of the workflow that made it.
        made: Seconds since 1970.
        stars: From 0 to `MOST_STARS`.
        thumbnail: A small JPEG or PNG; empty while there is none.
        facts: All else that made it, in words, for the search.
        collections: Names of the collections that it is in.
        seconds: How long a video or a sound lasts; 0 for pictures.
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
    seconds: float = 0.0


class ResultsDatabase:
    """The database; several windows may have it open.

    Args:
        file: The SQLite file; created if missing.
    """

    def __init__(self, file: Path) -> None:
        self._base = SqliteFile(file, _SCHEMA)
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        with contextlib.suppress(GalleryError):  # whoever asks for results is told
            self._do(lambda base: None)

    @property
    def moved_aside(self) -> Path | None:
        """Where a damaged database has been moved."""
        return self._base.moved_aside

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
        self,
        text: str = "",
        *,
        stars: int = 0,
        collection: str = "",
        workflow: str = "",
        limit: int = 300,
    ) -> list[Result]:
        """The newest results that contain all words of `text` in what made them or their path.

        Args:
            text: Words, in any order.
            stars: The least number of stars.
            collection: Of this collection alone; of all for an empty name.
            workflow: Made by the workflow of this name alone; by any for an empty name.
            limit: How many at most.

        Raises:
            GalleryError: the database is busy, or cannot be read.
        """
        words = text.split()
        sought = " || ' ' || ".join(("prompt", "workflow", "seed", "path", "facts"))
        where = [f"({sought}) LIKE ? ESCAPE '\\'"] * len(words)
        where += ["favourite >= ?"] if stars else []
        where += ["instr(char(10) || collections || char(10), ?) > 0"] if collection else []
        where += ["workflow = ?"] if workflow else []
        clause = f"WHERE {' AND '.join(where)}" if where else ""
        query = f"SELECT {_NAMES} FROM results {clause} ORDER BY made DESC, id DESC LIMIT ?"
        values: list[object] = [f"%{_escaped(word)}%" for word in words]
        values += [stars] if stars else []
        values += [f"\n{collection}\n"] if collection else []
        values += [workflow] if workflow else []
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

    def set_thumbnail(self, path: Path, thumbnail: bytes, seconds: float) -> None:
        """Set what is shown of a video or a sound, once it has been read.

        Raises:
            GalleryError: the database is busy, or cannot be written.
        """
        query = "UPDATE results SET thumbnail = ?, seconds = ? WHERE path = ?"
        self._write_waiting()
        self._do(lambda base: base.execute(query, (thumbnail, seconds, str(path))))

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
            result.seconds,
        )
        query = f"INSERT OR REPLACE INTO results ({_NAMES}) VALUES ({_MARKS})"
        self._do(lambda base: base.execute(query, row))

    def close(self) -> None:
        with contextlib.suppress(GalleryError):
            self._write_waiting()
        self._base.close()

    def _write_waiting(self) -> None:
        def write(base: sqlite3.Connection) -> None:
            for statement, values in self._waiting:
                base.execute(statement, values)

        if self._waiting:
            self._do(write)
            self._waiting.clear()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._base.do(work)
        except BusyError as error:
            raise _BusyError(error.fact, way_out=error.way_out) from error
        except DatabaseError as error:
            raise GalleryError(error.fact, place=error.place, way_out=error.way_out) from error


class _BusyError(GalleryError):
    """Another process holds the database."""


_MARKS = ", ".join("?" * len(_COLUMNS))
_INSERT = (
    "INSERT OR REPLACE INTO results (path, workflow, prompt, seed, made, thumbnail, facts)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def _whole_row(row: Iterable[Any]) -> tuple[Any, ...] | None:
    """A row with what is missing filled in; None where it names no picture."""
    number, path, workflow, prompt, seed, made, stars, thumbnail, facts, collections, seconds = row
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
        float(seconds) if isinstance(seconds, int | float) else 0.0,
    )


_SCHEMA = Schema("the gallery", {"results": Table(_COLUMNS, _whole_row, key="path")})


def _result(row: tuple[Any, ...]) -> Result | None:
    whole = _whole_row(row)
    if whole is None:
        return None
    number, path, *texts, made, stars, thumbnail, facts, collections, seconds = whole
    workflow, prompt, seed = texts
    return Result(
        *(number, Path(path), workflow, prompt, seed, made, stars, thumbnail, facts),
        tuple(_names(collections)),
        seconds,
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
