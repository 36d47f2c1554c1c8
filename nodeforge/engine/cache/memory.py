"""The memory tier: bounded in bytes, evicts what is cheapest to recompute."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from typing import Any


@dataclass
class _Entry:
    value: Any
    size: int
    gain: float  # seconds saved for each byte held
    rank: float
    pinned: bool


class MemoryTier:
    """Values by key, evicting the lowest rank: GreedyDual-Size (Cao and Irani 1997).

    A value's rank is its seconds per byte above the rank last evicted, renewed at each use,
    so that a dear value outlives cheap ones but not for ever.

    Args:
        limit: Bytes. Pinned values count, but are never evicted.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[float, str]] = []
        self._floor = 0.0
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Any | None:
        """The value under `key`, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.rank = self._floor + entry.gain
            return entry.value

    def put(self, key: str, value: Any, size: int, seconds: float, *, pinned: bool = False) -> None:
        """Keep `value`, of `size` bytes, which took `seconds` to compute."""
        if size > self.limit and not pinned:
            return
        with self._lock:
            self._drop(key)
            gain = seconds / max(size, 1)
            self._entries[key] = _Entry(value, size, gain, self._floor + gain, pinned)
            self.size += size
            heapq.heappush(self._heap, (self._floor + gain, key))
            self._shrink()

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._heap.clear()
            self.size = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size

    def _shrink(self) -> None:
        kept: list[tuple[float, str]] = []
        while self.size > self.limit and self._heap:
            rank, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is None:
                continue
            if entry.pinned:
                kept.append((rank, key))
            elif entry.rank > rank:  # used since it was pushed
                heapq.heappush(self._heap, (entry.rank, key))
            else:
                self._floor = rank
                self._drop(key)
        for item in kept:
            heapq.heappush(self._heap, item)
