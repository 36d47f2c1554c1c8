"""SQLite files of the user's folder. What is damaged is moved aside, and what can be read is kept.

A database that another process holds is busy, not damaged; so is one on a full or read-only disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from nodeforge.errors import NodeForgeError

T = TypeVar("T")
Row = tuple[Any, ...]

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NO_FAULT_OF_THE_FILE = _BUSY | {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_AUTH),
}
_UNREADABLE = (sqlite3.Error, UnicodeError)  # messages about a damaged schema are no UTF-8


class DatabaseError(NodeForgeError):
    """A database cannot be read or written."""


class BusyError(DatabaseError):
    """Another process holds the database."""


class NewerDatabaseError(DatabaseError):
    """A newer version has made the database; it is left as it is."""


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        columns: The type and constraints of each, by name. One with a default is added to a
            database that lacks it.
        whole: Mends a row of a damaged database, with None for what cannot be read; None where
            nothing of it is of use.
        key: A text column whose index is read where no row can be; empty for none.
    """

    columns: Mapping[str, str]
    whole: Callable[[Row], Row | None]
    key: str = ""


@dataclass(frozen=True)
class Schema:
    """What a database holds.

    Args:
        title: How errors call it: ``the gallery``.
        tables: Its tables by name.
        version: Kept as SQLite's ``user_version``; a file with a larger one is not touched.
        settings: Pragmas for every connection.
        patience: Seconds to wait for another process.
    """

    title: str
    tables: Mapping[str, Table]
    version: int = 0
    settings: tuple[str, ...] = ()
    patience: float = 0.2


class SqliteFile:
    """A database; several processes may have it open, one thread each object.

    Args:
        file: The SQLite file; created if missing.
        schema: What it holds.
    """

    def __init__(self, file: Path, schema: Schema) -> None:
        self.file = file
        self._schema = schema
        self._base: sqlite3.Connection | None = None
        self._inode = 0
        self.moved_aside: Path | None = None
        """Where a damaged database has been moved."""

    def do(self, work: Callable[[sqlite3.Connection], T], *, alone: bool = False) -> T:
        """What `work` gives for the connection, in a transaction; a damaged file is replaced.

        Args:
            work: Done once more after a damaged file was replaced.
            alone: No other process may write from the start of `work` on.

        Raises:
            BusyError: another process holds it.
            DatabaseError: it cannot be read or written for another reason.
        """
        for attempt in (1, 2):
            try:
                with self._connected() as base:
                    if alone:
                        base.execute("BEGIN IMMEDIATE")
                    return work(base)
            except _UNREADABLE as error:
                if _code(error) in _BUSY:
                    raise BusyError(
                        f"another program holds {self._schema.title}.",
                        way_out="Try again in a moment.",
                    ) from error
                if self._is_no_fault_of_the_file(error) or attempt == 2:
                    raise DatabaseError(
                        f"{self._schema.title} cannot be read or written: {error}.",
                        place=str(self.file),
                        way_out="Make room on the disk, or make the file writable.",
                    ) from error
                self._replace_damaged()
        raise AssertionError("it is done or raised")

    def close(self) -> None:
        if self._base is not None:
            self._base.close()
            self._base = None

    def _is_no_fault_of_the_file(self, error: Exception) -> bool:
        code = _code(error)
        if code == sqlite3.SQLITE_READONLY:  # also said of a header with unknown versions
            return not os.access(self.file, os.W_OK)
        return code in _NO_FAULT_OF_THE_FILE

    def _connected(self) -> sqlite3.Connection:
        if self._base is not None and self._inode != _inode(self.file):
            self.close()  # another process has moved it aside, or it was deleted
        if self._base is None:
            self._base = self._opened()
            self._inode = _inode(self.file)
        return self._base

    def _opened(self) -> sqlite3.Connection:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"{self._schema.title} cannot be made: {error.strerror}.", place=str(self.file)
            ) from error
        base = _connect(str(self.file), self._schema.patience)
        try:
            self._check_version(base)
            for setting in self._schema.settings:
                base.execute(f"PRAGMA {setting}")
            for name, table in self._schema.tables.items():
                _make(base, name, table)
            if self._schema.version:
                base.execute(f"PRAGMA user_version = {self._schema.version}")
            base.commit()
        except BaseException:
            base.close()
            raise
        return base

    def _check_version(self, base: sqlite3.Connection) -> None:
        (found,) = base.execute("PRAGMA user_version").fetchone()
        if self._schema.version and found > self._schema.version and self._is_sound(base):
            raise NewerDatabaseError(
                f"{self._schema.title} was made by a newer NodeForge.",
                place=str(self.file),
                way_out="Update NodeForge, or move the file away.",
            )

    def _is_sound(self, base: sqlite3.Connection) -> bool:
        """Whether a file is what a newer version has made, and not a damaged header."""
        there = {name for (name,) in base.execute("SELECT name FROM sqlite_master")}
        (told,) = base.execute("PRAGMA quick_check(1)").fetchone()
        return self._schema.tables.keys() <= there and told == "ok"

    def _replace_damaged(self) -> None:
        """Move the database aside and make a new one of what can be read."""
        self.close()
        aside = _free_name(self.file)
        for end in ("-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                Path(f"{self.file}{end}").replace(f"{aside}{end}")
        try:
            self.file.replace(aside)
        except OSError as error:
            raise DatabaseError(
                f"{self._schema.title} is damaged and cannot be moved aside: {error.strerror}.",
                place=str(self.file),
            ) from error
        self.moved_aside = aside
        found = {name: [*_whole_rows(aside, name, t)] for name, t in self._schema.tables.items()}
        with self._connected() as base:
            for name, rows in found.items():
                columns = self._schema.tables[name].columns
                marks = ", ".join("?" * len(columns))
                query = f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({marks})"
                base.executemany(query, rows)


def _make(base: sqlite3.Connection, name: str, table: Table) -> None:
    """Make a table, or give that of a former version the columns that were added since."""
    columns = ", ".join(f"{column} {kind}" for column, kind in table.columns.items())
    base.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    there = {row[1] for row in base.execute(f"PRAGMA table_info({name})")}
    for column, kind in table.columns.items():
        if column not in there and "DEFAULT" in kind:
            base.execute(f"ALTER TABLE {name} ADD COLUMN {column} {kind}")
    base.execute(f"SELECT {', '.join(table.columns)} FROM {name} LIMIT 1")  # all are there


def _connect(name: str, patience: float, *, uri: bool = False) -> sqlite3.Connection:
    base = sqlite3.connect(name, timeout=patience, uri=uri)
    base.text_factory = lambda data: data.decode("utf-8", "replace")
    return base


def _code(error: Exception) -> int:
    """SQLite's primary error code; 0 where the error is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _inode(file: Path) -> int:
    try:
        return file.stat().st_ino
    except OSError:
        return -1


def _free_name(file: Path) -> Path:
    for number in count(1):
        aside = file.with_name(f"{file.stem}.damaged-{number}{file.suffix}")
        if not aside.exists():
            return aside
    raise AssertionError("names do not end")


def _whole_rows(file: Path, name: str, table: Table) -> Iterator[Row]:
    for row in _readable_rows(file, name, table):
        if (whole := table.whole(row)) is not None:
            yield whole


def _readable_rows(file: Path, name: str, table: Table) -> list[Row]:
    """The rows of a damaged database that can be read, from both ends of the table."""
    found: dict[Any, Row] = {}
    with (
        contextlib.suppress(*_UNREADABLE),
        contextlib.closing(_connect(f"{file.as_uri()}?mode=ro", 0.2, uri=True)) as base,
    ):
        there = {row[1] for row in base.execute(f"PRAGMA table_info({name})")}
        columns = [column if column in there else "NULL" for column in table.columns]
        for order in ("ASC", "DESC"):
            with contextlib.suppress(*_UNREADABLE):
                query = f"SELECT rowid, {', '.join(columns)} FROM {name} ORDER BY rowid {order}"
                for number, *row in base.execute(query):
                    found.setdefault(number, tuple(row))
        if not found and table.key:  # the index has pages of its own
            with contextlib.suppress(*_UNREADABLE):
                query = f"SELECT {table.key} FROM {name} INDEXED BY sqlite_autoindex_{name}_1"
                for (key,) in base.execute(query):
                    found[key] = tuple(key if c == table.key else None for c in table.columns)
    return list(found.values())
