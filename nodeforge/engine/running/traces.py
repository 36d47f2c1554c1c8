"""Digests of computed values, so that a change whose value stays equal ends there.

A trace is one line of a journal that all processes append to: a key, the value key, and the
digest of each output. Mokhov, Mitchell and Peyton Jones 2018, "Build Systems à la Carte".
"""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LIMIT = 4 * 2**20
"""Bytes of the journal; when it is longer, the older half goes."""
_NO_VALUE_KEY = "-"


class Trace(NamedTuple):
    """What a node's results came to.

    Args:
        value_key: The node's key by the values of its inputs; empty where one has no digest.
        digests: Of each output's value, by port; an output without one is left out.
        made_in: The name of the environment in which they were computed; empty where unknown.
    """

    value_key: str
    digests: Mapping[str, str]
    made_in: str = ""


class Traces:
    """Traces by key, and keys of results by value key.

    A damaged line is no trace; a journal that cannot be written is one for this process alone.

    Args:
        path: The journal; None keeps traces in memory alone.
        limit: Bytes of the journal.
    """

    def __init__(self, path: Path | None, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._traces: dict[str, Trace | bytes] = {}
        self._results: dict[str, str] = {}
        self._pending: dict[str, Trace] = {}
        self._file: int | None = None
        self._read_to = 0
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Read what other processes have appended since."""
        if self._path is None:
            return
        self.flush()
        with self._lock, contextlib.suppress(OSError):
            if self._replaced():
                self._close()
            if self._file is None:
                self._open()
            assert self._file is not None
            size = os.fstat(self._file).st_size
            if size > self._read_to:
                data = os.pread(self._file, size - self._read_to, self._read_to)
                self._read_to += self._take(data)
            if size > self._limit:
                self._halve()

    def get(self, key: str) -> Trace | None:
        """The trace of the node with `key`."""
        found = self._traces.get(key)
        if isinstance(found, bytes):
            found = _parsed(found)
            if found is None:
                del self._traces[key]
            else:
                self._traces[key] = found
        return found

    def result_key(self, value_key: str) -> str | None:
        """The key of a node that came to the same from equal values."""
        return self._results.get(value_key)

    def put(self, key: str, trace: Trace) -> None:
        """Keep `trace` under `key`; other processes see it after `flush`."""
        self._traces[key] = self._pending[key] = trace
        if trace.value_key:
            self._results[trace.value_key] = key

    def flush(self) -> None:
        """Append what is new to the journal."""
        pending, self._pending = self._pending, {}
        if self._file is not None and pending:
            with contextlib.suppress(OSError):
                os.write(self._file, b"".join(_line(*each) for each in pending.items()))

    def clear(self) -> None:
        """Forget all, on disk as well."""
        with self._lock:
            self._traces.clear()
            self._results.clear()
            self._pending.clear()
            self._close()
            if self._path is not None:
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)

    def _open(self) -> None:
        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        self._read_to = 0

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _replaced(self) -> bool:
        """Whether another process has begun the journal anew."""
        if self._file is None or self._path is None:
            return False
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file))
        except OSError:
            return True

    def _take(self, data: bytes) -> int:
        """Take over whole lines; gives their bytes."""
        end = data.rfind(b"\n") + 1
        for line in data[:end].splitlines():
            fields = line.split(b" ", 3)
            if len(fields) != 4:
                continue
            key, value_key = (
                fields[1].decode("ascii", "replace"),
                fields[2].decode("ascii", "replace"),
            )
            if isinstance(self._traces.get(key), Trace):
                continue  # our own, or read before
            self._traces[key] = line
            if value_key != _NO_VALUE_KEY and _is_whole(line):
                self._results[value_key] = key
        return end

    def _halve(self) -> None:
        """Begin the journal anew with its newer half."""
        assert self._path is not None
        data = self._path.read_bytes()
        kept = data[data.find(b"\n", len(data) // 2) + 1 :]
        part = self._path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(kept)
        part.replace(self._path)
        self._close()
        self._traces.clear()
        self._results.clear()
        self._open()
        self._read_to = self._take(kept)


def _line(key: str, trace: Trace) -> bytes:
    outputs = ",".join(f"{port}={digest}" for port, digest in trace.digests.items())
    fields = key, trace.value_key or _NO_VALUE_KEY, outputs or _NO_VALUE_KEY, trace.made_in
    body = " ".join(fields).rstrip().encode()
    # a new line first: what a killed process left unfinished spoils its own line alone
    return b"\n%08x %s\n" % (zlib.crc32(body), body)


def _is_whole(line: bytes) -> bool:
    checksum, _, body = line.partition(b" ")
    return checksum == b"%08x" % zlib.crc32(body)


def _parsed(line: bytes) -> Trace | None:
    if not _is_whole(line):
        return None
    _, _, value_key, outputs, *made_in = line.decode().split(" ")
    pairs = [] if outputs == _NO_VALUE_KEY else [pair.split("=") for pair in outputs.split(",")]
    value_key = "" if value_key == _NO_VALUE_KEY else value_key
    return Trace(value_key, dict(pairs), "".join(made_in))
