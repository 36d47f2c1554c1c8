"""Moves files to the system's trash."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QFile, QStandardPaths


def move_to_trash(path: Path) -> Path | None:
    """Move a file to the trash; where it is there, or None where no trash takes it."""
    _make_data_folder()
    file = QFile(str(path))
    return Path(file.fileName()) if file.moveToTrash() else None


def _make_data_folder() -> None:
    """Make the folder in which a freedesktop trash lies: Qt makes the trash, but not it."""
    place = QStandardPaths.StandardLocation.GenericDataLocation
    folder = QStandardPaths.writableLocation(place)
    with suppress(OSError):  # then there is no trash, which the caller says
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
