"""The SQLite database of saved results; the picture files stay where they were saved."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeforge.errors import NodeForgeError
from nodeforge.values.output_names import told

_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    prompt TEXT NOT NULL,
    seed TEXT NOT NULL,
    made REAL NOT NULL,
    favourite INTEGER NOT NULL DEFAULT 0,
    thumbnail BLOB
)
"""


class GalleryError(NodeForgeError):
    """The gallery's database cannot be read or written."""


@dataclass(frozen=True)
class Result:
    """One saved picture.

    Args:
        workflow: The name of the workflow that made it.
        made: Seconds since 1970.
        thumbnail: A small JPEG.
    """

    id: int
    path: Path
    workflow: str
    prompt: str
    seed: str
    made: float
    favourite: bool
    thumbnail: bytes


class ResultsDatabase:
    """The database; several windows may have it open.

    Args:
        file: The SQLite file; created if missing, renamed if damaged.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = self._open(file)
        except sqlite3.DatabaseError:
            file.replace(file.with_suffix(".damaged"))
            self._base = self._open(file)

    def _open(self, file: Path) -> sqlite3.Connection:
        base = sqlite3.connect(file, timeout=5.0)
        base.execute(_SCHEMA)
        base.commit()
        return base

    def add(self, path: Path, workflow: str, texts: Mapping[str, str], thumbnail: bytes) -> None:
        """Add a picture.

        Args:
            texts: Text chunks of the picture; ``parameters`` holds prompt and seed.
        """
        prompt, seed = prompt_and_seed(texts.get("parameters", ""))
        self._do(
            "INSERT OR REPLACE INTO results (path, workflow, prompt, seed, made, thumbnail)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (str(path), workflow, prompt, seed, time.time(), thumbnail),
        )

    def find(self, text: str = "", *, favourites: bool = False, limit: int = 300) -> list[Result]:
        """The newest results that contain all words of `text` in prompt, workflow, seed or path."""
        words = text.split()
        where = ["(prompt || ' ' || workflow || ' ' || seed || ' ' || path) LIKE ?"] * len(words)
        where += ["favourite = 1"] if favourites else []
        clause = f"WHERE {' AND '.join(where)}" if where else ""
        rows = self._base.execute(
            "SELECT id, path, workflow, prompt, seed, made, favourite, thumbnail FROM results"
            f" {clause} ORDER BY made DESC, id DESC LIMIT ?",
            (*(f"%{word}%" for word in words), limit),
        )
        return [_result(row) for row in rows]

    def newest(self) -> Result | None:
        """The latest result."""
        found = self.find(limit=1)
        return found[0] if found else None

    def prompts(self, limit: int = 200) -> list[str]:
        """Distinct prompts, newest first."""
        rows = self._base.execute(
            "SELECT prompt FROM results GROUP BY prompt ORDER BY MAX(id) DESC LIMIT ?", (limit,)
        )
        return [prompt for (prompt,) in rows]

    def mark(self, result: Result, favourite: bool) -> None:
        self._do("UPDATE results SET favourite = ? WHERE id = ?", (int(favourite), result.id))

    def remove(self, result: Result) -> None:
        """Remove a result; its file is kept."""
        self._do("DELETE FROM results WHERE id = ?", (result.id,))

    def close(self) -> None:
        self._base.close()

    def _do(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            with self._base:
                self._base.execute(statement, values)
        except sqlite3.Error as error:
            raise GalleryError(
                f"the gallery cannot be written: {error}.", way_out="Make room on the disk."
            ) from error


def _result(row: tuple[Any, ...]) -> Result:
    number, path, workflow, prompt, seed, made, favourite, thumbnail = row
    return Result(
        number, Path(path), workflow, prompt, seed, made, bool(favourite), thumbnail or b""
    )


def prompt_and_seed(parameters: str) -> tuple[str, str]:
    """Prompt and seed of A1111-style `parameters`; empty if missing."""
    prompt, facts = told(parameters)
    return prompt, facts.get("Seed", "")
