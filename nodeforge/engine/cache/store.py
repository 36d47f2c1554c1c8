"""The result cache: looks up in memory, then on disk, then in a folder shared by machines."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nodeforge.engine.cache.codec import Codec
from nodeforge.engine.cache.disk import DiskTier
from nodeforge.engine.cache.key_claims import KeyClaims
from nodeforge.engine.cache.memory import MemoryTier
from nodeforge.engine.cache.shared import SharedTier
from nodeforge.engine.events import Source
from nodeforge.engine.running.traces import Traces

_UNSHARED = 64
"""Results that may wait for the shared folder; where it is so slow, others are not shared."""
WORTH_A_FILE = 0.020
"""Seconds: what took less is computed again sooner than read."""


class ResultCache:
    """Values by key.

    Writing to disk happens in a thread of its own, after the caller has gone on.

    Args:
        memory: The memory tier.
        disk: The disk tier, or None to keep nothing between processes.
        codec: Turns values into bytes.
        claims: What other processes are computing on the same disk tier; None does not ask.
        shared: Results of other machines, too; they come into the disk tier as they are read.
    """

    def __init__(
        self,
        memory: MemoryTier,
        disk: DiskTier | None,
        codec: Codec,
        claims: KeyClaims | None = None,
        shared: SharedTier | None = None,
    ) -> None:
        self.memory = memory
        self.disk = disk
        self.codec = codec
        self.shared = shared
        self._claims = claims
        self.traces = Traces(disk.journal if disk else None)
        self._to_disk = _Writer("cache")
        self._to_shared = _Writer("shared cache")  # its own: a slow folder must not hold it up

    def where(self, key: str) -> Source | None:
        """Where `key` would be found, without reading it."""
        if key in self.memory:
            return Source.MEMORY
        if any(key in tier for tier in self._tiers()):
            return Source.DISK
        return None

    def _tiers(self) -> list[DiskTier]:
        """Those of files, the nearest first."""
        return [tier for tier in (self.disk, self.shared) if tier is not None]

    def get(self, key: str) -> tuple[Any, Source] | None:
        """The value under `key` and where it was; a damaged entry is none."""
        value = self.memory.get(key)
        if value is not None:
            return value, Source.MEMORY
        for tier in self._tiers():
            if (data := tier.get(key)) is None:
                continue
            try:
                value = self.codec.decode(data)
            except ValueError:
                tier.discard(key)
                continue
            # What was worth a file is worth memory: it cost at least that much.
            self.memory.put(key, value, self.codec.size(value), WORTH_A_FILE)
            if tier is self.shared and self.disk is not None:
                self._to_disk.later(partial(self.disk.put, key, data))
            return value, Source.DISK
        return None

    def put(
        self, key: str, value: Any, seconds: float, *, pinned: bool = False, to_disk: bool | None
    ) -> int:
        """Keep `value`, which took `seconds`; gives its size in bytes.

        Args:
            to_disk: Whether to write a file; None lets the time and the pin decide, and shares
                it with other machines.
        """
        size = self.codec.size(value)
        self.memory.put(key, value, size, seconds, pinned=pinned)
        if to_disk is None:
            to_disk = pinned or seconds > WORTH_A_FILE
            if to_disk:
                self._share(key, value)
        if to_disk and self.disk is not None:
            self._to_disk.later(partial(self._save, self.disk, key, value))
        return size

    @contextmanager
    def claimed(self, key: str, stop: threading.Event) -> Iterator[bool]:
        """Around what computes `key`: gives whether another process may just have done so.

        The claim ends when what was put in the block is on disk.

        Raises:
            Cancelled: `stop` was set while another process was computing it.
        """
        claim = self._claims.hold(key, stop) if self._claims is not None else None
        try:
            yield claim is not None
        finally:
            if claim is not None:
                self._to_disk.later(claim.release)

    def write(self, key: str) -> None:
        """Have what is under `key` on disk, too."""
        if self.disk is not None and (found := self.get(key)) is not None:
            self._to_disk.later(partial(self._save, self.disk, key, found[0]))

    def pin(self, key: str, pinned: bool) -> None:
        """Keep what is on disk under `key` for a week, or let it be evicted again."""
        if self.disk is not None:
            self._to_disk.later(partial(self.disk.pin if pinned else self.disk.unpin, key))

    def wait_for_disk(self, seconds: float = 30.0) -> None:
        """Wait until everything put so far is on disk, or so long."""
        written = threading.Event()
        self._to_disk.later(written.set)
        written.wait(seconds)

    def when_on_disk(self, call: Callable[[], None]) -> None:
        """Call once everything put so far is on disk, in a thread of the cache's own."""
        self._to_disk.later(call)

    def make_room(self) -> bool:
        """Delete what was used longest ago, for a file that must be written; whether any was."""
        return self.disk is not None and self.disk.make_room()

    def flush(self) -> None:
        """Wait until everything put so far is on disk, and in the shared folder."""
        self._to_disk.flush()
        self._to_shared.flush()

    def _share(self, key: str, value: Any) -> None:
        if self.shared is not None and self._to_shared.waiting < _UNSHARED:
            self._to_shared.later(partial(self._save, self.shared, key, value))

    def _save(self, tier: DiskTier, key: str, value: Any) -> None:
        if key not in tier and (data := self.codec.encode(value)) is not None:
            tier.put(key, data)


class _Writer:
    """Does one task after another in a thread of its own, which starts with the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return self._queue.qsize()

    def later(self, task: Callable[[], None]) -> None:
        self._queue.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Wait until all is done."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            task()
