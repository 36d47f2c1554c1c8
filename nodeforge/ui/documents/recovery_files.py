"""Names and owners of recovery copies: a copy is left over when its session has ended."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.settings.whole_file import write_whole

if TYPE_CHECKING:
    from filelock import FileLock

_LOCK = ".lock"
_ABOUT = ".about"
_STALE = 3600.0
"""Seconds after which a temporary file belongs to nobody: none takes that long to write."""


class AutosaveSession:
    """This window's share of the autosave folder, named by process and a random token.

    A lock file, which the system releases however the process ends, says that the session lives:
    process numbers repeat, in containers with every start.

    Args:
        folder: The autosave folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"{os.getpid()}x{secrets.token_hex(4)}"
        self._lock: FileLock | None = None

    def hold(self) -> None:
        """Say from now on that the session lives.

        Raises:
            OSError: the folder cannot be written.
        """
        from filelock import FileLock  # only when something is kept or was left over

        if self._lock is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / f"{self.name}{_LOCK}")
            lock.acquire(blocking=False)
            self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock = None

    def file(self, document: str, suffix: str) -> Path:
        """The copy of a document."""
        return self.folder / f"{self.name}-{document}{suffix}"

    def left_over(self, suffixes: tuple[str, ...]) -> list[Path]:
        """Copies whose session has ended, oldest first."""
        kept = [path for path in _entries(self.folder) if path.suffix in suffixes]
        sessions = {path.name.partition("-")[0] for path in kept}
        ended = {name for name in sessions if name != self.name and not _lives(self.folder, name)}
        files = [path for path in kept if path.name.partition("-")[0] in ended]
        return sorted(files, key=_modified)

    def clean_up(self) -> None:
        """Remove locks of ended sessions and temporary files that were left unfinished."""
        for path in _entries(self.folder):
            if (
                path.suffix == _LOCK
                and path.stem != self.name
                and not _lives(self.folder, path.stem)
            ):
                path.unlink(missing_ok=True)
            elif path.name.endswith(".part") and time.time() - _modified(path) > _STALE:
                remove(path)


def write_about(copy: Path, path: Path | None, name: str) -> None:
    """Write beside a copy of which file it is one, whole or not at all.

    Raises:
        OSError, RequestError: it cannot be written.
    """
    about = json.dumps({"path": str(path or ""), "name": name}).encode()
    file = copy.with_suffix(_ABOUT)
    if not file.exists() or file.read_bytes() != about:
        write_whole(file, lambda opened: opened.write(about))


def read_about(copy: Path) -> tuple[Path | None, str]:
    """The file that a copy is one of, if it had one, and its name; damage costs the value alone."""
    try:
        about = json.loads(copy.with_suffix(_ABOUT).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        about = {}
    path, name = (about.get(key) if isinstance(about, dict) else None for key in ("path", "name"))
    known = isinstance(path, str) and path and "\0" not in path
    return Path(str(path)) if known else None, name if isinstance(
        name, str
    ) and name else "Recovered"


def put_aside(copy: Path) -> Path:
    """Rename a copy that cannot be read; nothing is overwritten."""
    for number in count(1):
        aside = copy.with_name(f"{copy.name}.damaged-{number}")
        if not aside.exists():
            return copy.replace(aside)
    raise AssertionError("names do not end")


def remove(copy: Path) -> None:
    """Remove a copy and what is written beside it."""
    if copy.is_dir() and not copy.is_symlink():
        shutil.rmtree(copy, ignore_errors=True)
    else:
        copy.unlink(missing_ok=True)
    copy.with_suffix(_ABOUT).unlink(missing_ok=True)


def _entries(folder: Path) -> Iterator[Path]:
    try:
        found = list(folder.iterdir())
    except OSError:
        return
    yield from (path for path in found if not path.is_symlink())


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # it has just been removed
        return time.time()


def _lives(folder: Path, session: str) -> bool:
    """Whether a session's process still runs."""
    from filelock import FileLock, Timeout

    lock_file = folder / f"{session}{_LOCK}"
    if lock_file.exists():
        lock = FileLock(lock_file)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        except OSError:
            return _runs(session)
        lock.release()
        return False
    return _runs(session) if session.isdigit() else False


def _runs(session: str) -> bool:
    """Whether a process has the session's number; copies of older versions have no lock."""
    number = session.partition("x")[0]
    if not number.isdigit() or os.name == "nt":
        return False
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return int(number) != os.getpid()
