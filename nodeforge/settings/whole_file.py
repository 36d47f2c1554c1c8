"""Files written whole or not at all: a temporary file, flushed, then renamed.

Temporary files have unique hidden names that no reader takes, ``.fox.json.x7k2_.part``; what a
killed process left is removed when the same file is written again.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import IO

from nodeforge.errors import RequestError

_UMASK = threading.Lock()
_NUMBERED = re.compile(r"(?s)(.*_)(\d{5,})(\.[^.]*)?")
_STALE = 3600.0
"""Seconds after which a temporary file belongs to nobody: none takes that long to write."""


def write_whole(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Make the file at `path` what `fill` writes.

    Raises:
        RequestError: it cannot be written; what was at `path` is untouched.
    """
    part = ""
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "w+b") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        Path(part).replace(path)
        part = ""
        _flush_folder(path.parent)
        _remove_stale(path)
    except OSError as error:
        raise RequestError(
            f"cannot be saved: {error.strerror}.",
            place=str(path),
            way_out="Choose another place, or make room there.",
        ) from error
    finally:
        if part:
            Path(part).unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Have the new name on the disk itself, where the system can."""
    if os.name != "nt":
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _remove_stale(path: Path) -> None:
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE:
                part.unlink()


def _umask() -> int:
    """What the person takes from the rights of new files; it can only be read by setting it."""
    with _UMASK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


def keep_copy(path: Path, mark: str) -> Path:
    """Copy the file at `path` beside it, ``fox.json`` to ``fox.<mark>.json``; returns the copy.

    Nothing is overwritten: a second copy of another content is ``fox.<mark>_2.json``.

    Raises:
        RequestError: it cannot be written.
    """
    content = path.read_bytes()
    for number in count(1):
        name = mark if number == 1 else f"{mark}_{number}"
        copy = path.with_name(f"{path.stem}.{name}{path.suffix}")
        if not copy.exists():
            write_whole(copy, lambda file: file.write(content))
            return copy
        if copy.is_file() and copy.read_bytes() == content:
            return copy
    raise AssertionError("names do not end")


def is_disk_full(error: OSError) -> bool:
    """Whether an error says that there is no room on the disk, or none left for the person."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def next_number(names: Iterable[str], before: str, after: str) -> int:
    """The number after the largest that a name has between `before` and `after`; 1 for none."""
    taken = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}")
    return max((int(m[1]) for name in names if (m := taken.fullmatch(name))), default=0) + 1


def free_name(wish: Path, reserved: Iterable[str] = ()) -> Path:
    """A name that no file has and that is not reserved: the next number where `wish` has one."""
    there = set(reserved)
    if wish.parent.is_dir():
        there.update(path.name for path in wish.parent.iterdir())
    match = _NUMBERED.fullmatch(wish.name)
    if match is None and wish.name not in there:
        return wish
    before, after = (match[1], match[3] or "") if match else (f"{wish.stem}_", wish.suffix)
    return wish.with_name(f"{before}{next_number(there, before, after):05}{after}")


def take_name(part: Path, target: Path) -> bool:
    """Give the file `part` the name `target`, unless a file has it: then nothing happens.

    Returns:
        Whether the name was free. `part` may still be there.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    try:
        os.link(part, target)
        return True
    except FileExistsError:
        return False
    except OSError as error:
        if is_disk_full(error):
            raise
    return _taken_without_links(part, target)


def _taken_without_links(part: Path, target: Path) -> bool:
    """For disks without hard links: take the name with an empty file, then replace that."""
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    part.replace(target)
    return True
