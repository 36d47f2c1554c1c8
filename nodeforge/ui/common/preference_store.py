"""The window's own preferences: layout, recent files, shortcuts, options of tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QSettings

T = TypeVar("T")


class PreferenceStore(QSettings):
    """An ini file of preferences. A value of a wrong kind costs that value alone.

    Args:
        file: Where it is; it is made when needed.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(str(file), QSettings.Format.IniFormat)
        self.problems: list[str] = []
        """Sentences on values that are of a wrong kind, and are not used; each once."""

    def read(self, key: str, default: T, convert: Callable[[Any], T]) -> T:
        """The value of `key`, or `default` where it has none or one of a wrong kind.

        Args:
            convert: Makes the value of what is stored; ValueError where that is of a wrong kind.
        """
        try:
            stored = self.value(key)
            return default if stored is None else convert(stored)
        except (ValueError, TypeError, RecursionError):
            self.report(key)
            return default

    def report(self, key: str) -> None:
        """Note that the value of `key`, or a part of it, is of a wrong kind."""
        problem = f"'{key}' is of a wrong kind: the default is used."
        if problem not in self.problems:
            self.problems.append(problem)


def json_object(stored: object) -> dict[str, Any]:
    """The JSON object in a stored text.

    Raises:
        ValueError: there is none.
    """
    made = json.loads(str(stored))
    if not isinstance(made, dict):
        raise ValueError("no object")
    return made
