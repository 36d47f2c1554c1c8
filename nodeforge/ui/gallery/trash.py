"""Moves saved pictures to the system's trash, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QFile

from nodeforge.ui.common.system_trash import move_to_trash
from nodeforge.ui.gallery.results_database import Result, ResultsDatabase


@dataclass(frozen=True)
class Deletion:
    """One deletion, which can be undone.

    Args:
        results: The rows that were removed.
        files: Where each file was, to where it is in the trash.
    """

    results: Sequence[Result]
    files: dict[Path, Path] = field(default_factory=dict)


class Trash:
    """Deletes pictures with their rows; undo brings the last ones back while the window lives.

    Args:
        results: The list that the rows are in.
    """

    def __init__(self, results: ResultsDatabase) -> None:
        self._results = results
        self._done: list[Deletion] = []

    def delete(self, pictures: Sequence[Result | Path]) -> list[Path]:
        """Move pictures to the trash, and remove their rows.

        Args:
            pictures: Rows, or files that have none.

        Returns:
            The files that the system does not take into its trash: they and their rows stay.

        Raises:
            GalleryError: the list cannot be written; what is not done by then stays.
        """
        kept: list[Path] = []
        results: list[Result] = []
        files: dict[Path, Path] = {}
        try:
            for each in pictures:
                path = each.path if isinstance(each, Result) else each
                if path.exists():
                    if (there := move_to_trash(path)) is None:
                        kept.append(path)
                        continue
                    files[path] = there
                if isinstance(each, Result):
                    results.append(each)
                    self._results.remove(each)
        finally:
            if results or files:
                self._done.append(Deletion(results, files))
        return kept

    def delete_for_good(self, paths: Sequence[Path]) -> None:
        """Delete files that no trash takes, and remove their rows.

        Raises:
            OSError: a file cannot be deleted.
            GalleryError: the list cannot be written.
        """
        for path in paths:
            path.unlink(missing_ok=True)
            if (result := self._results.of(path)) is not None:
                self._results.remove(result)

    def undo(self) -> tuple[list[Path], list[Path]]:
        """Bring back what was deleted last.

        Returns:
            The files that are there again, and those that cannot be brought back.

        Raises:
            GalleryError: the list cannot be written.
        """
        if not self._done:
            return [], []
        last = self._done.pop()
        lost = [path for path, there in last.files.items() if not _bring_back(there, path)]
        for result in last.results:
            if result.path not in lost:
                self._results.restore(result)
        return [path for path in last.files if path not in lost], lost

    @property
    def can_undo(self) -> bool:
        return bool(self._done)


def _bring_back(there: Path, path: Path) -> bool:
    """Move a file out of the trash, unless another has its name by now."""
    if not there.exists() or path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if not QFile.rename(str(there), str(path)):
        return False
    note = there.parent.parent / "info" / f"{there.name}.trashinfo"  # freedesktop's trash
    note.unlink(missing_ok=True)
    return True
