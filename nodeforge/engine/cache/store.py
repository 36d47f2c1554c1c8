"""The result cache: looks up in memory, then on disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from nodeforge.engine.cache.codec import Codec
from nodeforge.engine.cache.disk import DiskTier
from nodeforge.engine.cache.memory import MemoryTier
from nodeforge.engine.events import Source
from nodeforge.engine.traces import Traces

WORTH_A_FILE = 0.020
"""Seconds: what took less is computed again sooner than read."""


class ResultCache:
    """Values by key.

    Writing to disk happens in a thread of its own, after the caller has gone on.

    Args:
        memory: The memory tier.
        disk: The disk tier, or None to keep nothing between processes.
        codec: Turns values into bytes.
    """

    def __init__(self, memory: MemoryTier, disk: DiskTier | None, codec: Codec) -> None:
        self.memory = memory
        self.disk = disk
        self.codec = codec
        self.traces = Traces(disk.journal if disk else None)
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None

    def where(self, key: str) -> Source | None:
        """Where `key` would be found, without reading it."""
        if key in self.memory:
            return Source.MEMORY
        if self.disk is not None and key in self.disk:
            return Source.DISK
        return None

    def get(self, key: str) -> tuple[Any, Source] | None:
        """The value under `key` and where it was; a damaged entry is none."""
        value = self.memory.get(key)
        if value is not None:
            return value, Source.MEMORY
        if self.disk is None:
            return None
        data = self.disk.get(key)
        if data is None:
            return None
        try:
            value = self.codec.decode(data)
        except ValueError:
            self.disk.discard(key)
            return None
        # What was worth a file is worth memory: it cost at least that much.
        self.memory.put(key, value, self.codec.size(value), WORTH_A_FILE)
        return value, Source.DISK

    def put(
        self, key: str, value: Any, seconds: float, *, pinned: bool = False, to_disk: bool | None
    ) -> int:
        """Keep `value`, which took `seconds`; gives its size in bytes.

        Args:
            to_disk: Whether to write a file; None lets the time and the pin decide.
        """
        size = self.codec.size(value)
        self.memory.put(key, value, size, seconds, pinned=pinned)
        if to_disk is None:
            to_disk = pinned or seconds > WORTH_A_FILE
        if to_disk and self.disk is not None:
            self._later(partial(self._save, key, value))
        return size

    def write(self, key: str) -> None:
        """Have what is under `key` on disk, too."""
        if self.disk is not None and (found := self.get(key)) is not None:
            self._later(partial(self._save, key, found[0]))

    def pin(self, key: str, pinned: bool) -> None:
        """Keep what is on disk under `key` for a week, or let it be evicted again."""
        if self.disk is not None:
            self._later(partial(self.disk.pin if pinned else self.disk.unpin, key))

    def wait_for_disk(self, seconds: float = 30.0) -> None:
        """Wait until everything put so far is on disk, or so long."""
        written = threading.Event()
        self._later(written.set)
        written.wait(seconds)

    def make_room(self) -> bool:
        """Delete what was used longest ago, for a file that must be written; whether any was."""
        return self.disk is not None and self.disk.make_room()

    def flush(self) -> None:
        """Wait until everything put so far is on disk."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join()
            self._writer = None

    def _later(self, task: Callable[[], None]) -> None:
        self._queue.put(task)
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="cache", daemon=True)
            self._writer.start()

    def _write(self) -> None:
        while (task := self._queue.get()) is not None:
            task()

    def _save(self, key: str, value: Any) -> None:
        assert self.disk is not None
        if key not in self.disk and (data := self.codec.encode(value)) is not None:
            self.disk.put(key, data)
