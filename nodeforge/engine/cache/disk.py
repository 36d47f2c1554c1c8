"""The disk tier: one checksummed file an entry; no index, no lock.

Files appear whole (temporary file, rename), so several processes share one folder. A damaged
entry is a miss; a folder that cannot be written makes the tier read what is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

_SUFFIX = ".result"
_DIGEST = 16
_TEMPORARY = ".part"
_JOURNAL = "traces.log"
_CLOCKS = 60.0
"""Seconds by which clocks of machines that share a folder may differ."""
RESERVE = 512 * 2**20
"""Bytes of the disk that the cache leaves free; of a small disk a tenth."""
ROOM = 256 * 2**20
"""Bytes freed at once where something else could not be written."""
PINNED = 7 * 24 * 3600.0
"""Seconds for which a pinned entry is kept."""


class DiskTier:
    """Bytes by key.

    Args:
        root: The cache folder, shared by all versions.
        version: Folder name for one set of program versions; others' entries are not read,
            and go first when room is needed.
        limit: Bytes over all versions.
    """

    def __init__(self, root: Path, version: str, limit: int) -> None:
        self.root = root
        self.folder = root / version
        self.limit = limit
        self._written = 0
        self.refused = ""
        """Why entries cannot be written; empty while they can."""

    @property
    def journal(self) -> Path:
        """Where this version's traces are."""
        return self.folder / _JOURNAL

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / (key + _SUFFIX)

    def __contains__(self, key: str) -> bool:
        return os.path.exists(f"{self.folder}/{key[:2]}/{key}{_SUFFIX}")  # noqa: PTH110 - hot

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`; None where there are none, or damaged ones."""
        path = self.path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        body = data[_DIGEST:]
        if _checksum(body) != data[:_DIGEST]:
            self.discard(key)
            return None
        with contextlib.suppress(OSError):
            if not _is_pinned(path.stat()):
                os.utime(path)
        return body

    def put(self, key: str, data: bytes) -> None:
        """Write `data` under `key`; a full or read-only disk is remembered in `refused`.

        The disk is never filled: a part of it is left for pictures, workflows and settings.
        """
        try:
            if not self._leaves_room(len(data)):
                self.refused = "the disk is nearly full"
                return
            _write_whole(self.path(key), _checksum(data), data)
        except OSError as error:
            self.refused = error.strerror or str(error)
            return
        self.refused = ""
        self._written += len(data)
        if self._written > self.limit // 16:
            self._written = 0
            self.shrink()

    def discard(self, key: str) -> None:
        with contextlib.suppress(OSError):
            self.path(key).unlink()

    def pin(self, key: str) -> None:
        """Keep an entry for a week, beyond all limits.

        Its file's time of use lies in the future, so that the week ends by itself.
        """
        pin_file(self.path(key))

    def unpin(self, key: str) -> None:
        unpin_file(self.path(key))

    def entries(self) -> Iterator[os.stat_result]:
        """The state of every entry's file, of all versions."""
        for _, state in self._files():
            yield state

    def shrink(self) -> None:
        """Delete what was used longest ago, other versions' entries first, down to 90 %."""
        self._remove_journals(others=True)
        files = sorted(self._files(), key=self._order)
        excess = sum(state.st_size for _, state in files) - self.limit
        if excess <= 0:
            return
        excess += self.limit // 10
        for path, state in files:
            if excess <= 0:
                return
            if _is_pinned(state):
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                excess -= state.st_size

    def make_room(self, wanted: int = ROOM) -> bool:
        """Delete what was used longest ago until `wanted` bytes are freed; whether any was."""
        freed = 0
        for path, state in sorted(self._files(), key=self._order):
            if freed >= wanted:
                break
            if _is_pinned(state):
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                freed += state.st_size
        return freed > 0

    def _leaves_room(self, size: int) -> bool:
        """Whether `size` bytes may be written, after older entries have given way if needed."""
        self.root.mkdir(parents=True, exist_ok=True)
        usage = shutil.disk_usage(self.root)
        missing = min(RESERVE, usage.total // 10) + size - usage.free
        if missing <= 0:
            return True
        self.make_room(missing)
        return shutil.disk_usage(self.root).free >= size + min(RESERVE, usage.total // 10)

    def clear(self) -> int:
        """Delete every entry of every version; gives the bytes freed."""
        freed = 0
        for path, state in self._files():
            with contextlib.suppress(OSError):
                path.unlink()
                freed += state.st_size
        self._remove_journals(others=False)
        return freed

    def _remove_journals(self, *, others: bool) -> None:
        for path in self.root.glob(f"*/{_JOURNAL}"):
            if not others or path != self.journal:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _order(self, file: tuple[Path, os.stat_result]) -> tuple[bool, float]:
        path, state = file
        return path.is_relative_to(self.folder), state.st_mtime

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self.root.glob("*/*/*"):
            if path.suffix in (_SUFFIX, _TEMPORARY):
                with contextlib.suppress(OSError):
                    yield path, path.stat()


def pin_file(path: Path, seconds: float = PINNED) -> None:
    """Keep the entry in a file, in this process or another, for so long; nothing where it is gone.

    Its time of use then lies in the future.
    """
    until = time.time() + seconds
    _use(path, (until, until))


def unpin_file(path: Path) -> None:
    """Let the entry in a file be evicted again, as one that was used just now."""
    _use(path, None)


def _use(path: Path, times: tuple[float, float] | None) -> None:
    if path.suffix == _SUFFIX:
        with contextlib.suppress(OSError):
            os.utime(path, times)


def _is_pinned(state: os.stat_result) -> bool:
    return state.st_mtime > time.time() + _CLOCKS


def _write_whole(path: Path, *pieces: bytes) -> None:
    """Write a file that is seen by others only when all of it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Process numbers of two machines that share the folder may be equal.
    part = path.with_suffix(f".{os.getpid()}-{uuid.uuid4().hex[:8]}{_TEMPORARY}")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()
