"""A JSON cache of facts about files, valid until the files change.

Several processes may share one: each writes it whole, a lost entry is found again, and a
damaged or unwritable file is no error.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_LIMIT = 64 * 2**20
_MOST = 20_000
_SETTLED_NS = 50_000_000
"""A file changed within one tick of the clock keeps its time: younger ones are not memoised."""


class FileCache:
    """JSON values by path, each valid while the path's signature stays the same."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, Any]] | None = None

    def get(self, path: str, signature: str) -> Any | None:
        """What was found of `path`, unless it has changed since."""
        known = self._load().get(path)
        return known[1] if known and known[0] == signature else None

    def put(self, found: Mapping[str, tuple[str, Any]]) -> None:
        """Remember, and write, signature and value of each path."""
        if not found:
            return
        with self._lock:
            known = {**self._read(), **(self._known or {}), **found}
            self._known = dict(list(known.items())[-_MOST:])
            self._write(self._known)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._known = {}
            self._write({})

    def paths(self, value: Any) -> list[str]:
        """The paths that had `value` when last looked at."""
        return [path for path, (_, known) in self._load().items() if known == value]

    def _load(self) -> dict[str, tuple[str, Any]]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, tuple[str, Any]]:
        try:
            if self._file.stat().st_size > _LIMIT:
                return {}
            raw = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        entries = raw.items() if isinstance(raw, dict) else ()
        return {path: (e[0], e[1]) for path, e in entries if isinstance(e, list) and len(e) == 2}

    def _write(self, known: Mapping[str, tuple[str, Any]]) -> None:
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(known), "utf-8")
            part.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()


def signature(paths: Iterable[str]) -> str:
    """Sizes and times of these files and folders; what is not there counts too."""
    return "|".join(map(_stamp, paths))


def _stamp(path: str) -> str:
    try:
        told = os.stat(path)  # noqa: PTH116  asked for at every plan; Path takes twice as long
    except OSError:
        return ""
    return f"{told.st_size}:{told.st_mtime_ns}"


def content_signature(*paths: str) -> str:
    """What changes with the content of these files: inodes, sizes, times of writing and change.

    Device numbers are left out: a drive gets another one each time it is plugged in. On file
    systems that make up inodes or times there are sizes and times of writing alone.
    """
    return "|".join(map(_content_stamp, paths))


def _content_stamp(path: str) -> str:
    try:
        told = os.stat(path)  # noqa: PTH116
    except OSError:
        return ""
    if not is_trusted(path):
        return f"{told.st_size}:{told.st_mtime_ns}"
    changed = told.st_ctime_ns if os.name == "posix" else 0
    return f"{told.st_ino}:{told.st_size}:{told.st_mtime_ns}:{changed}"


_UNTRUSTED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "vfat", "msdos", "exfat", "fuse", "fuseblk", "9p"}
)


@functools.cache
def _mounts() -> tuple[tuple[str, bool], ...]:
    """Mount points with whether inodes and times of change mean something, the longest first."""
    try:
        lines = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    fields = (line.split() for line in lines)
    found = {f[1]: f[2] for f in fields if len(f) > 2}
    return tuple(
        (point, kind.split(".")[0] not in _UNTRUSTED)
        for point, kind in sorted(found.items(), key=lambda each: -len(each[0]))
    )


def is_trusted(path: str) -> bool:
    """Whether the file system of an absolute path gives inodes and times that mean something."""
    for point, trusted in _mounts():
        if path == point or path.startswith(point.rstrip("/") + "/"):
            return trusted
    return True


def settled(paths: Iterable[str]) -> bool:
    """Whether none of these was changed within the last tick of the clock."""
    try:
        newest = max(Path(path).stat().st_mtime_ns for path in paths)
    except (OSError, ValueError):
        return False
    return abs(time.time_ns() - newest) > _SETTLED_NS
