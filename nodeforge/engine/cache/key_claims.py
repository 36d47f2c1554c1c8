"""Makes a process wait for a result that another on this machine is computing."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nodeforge.errors import Cancelled

if TYPE_CHECKING:
    from filelock import BaseFileLock

_LOOK = 0.05
"""Seconds between two tries."""
_DIGITS = 3
"""Of a key, in the name of its file: there are never more than 4,096, and none is deleted."""


class KeyClaims:
    """Keys that processes are computing at this moment, each by a lock on a file.

    The system releases the locks of a process that ends, however it does, so that another takes
    over at once. Two keys that share a file wait for each other for nothing, one pair of 4,096.

    Args:
        folder: Where the files are. Where they cannot be locked, nothing is claimed, and both
            processes compute.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, key: str, stop: threading.Event) -> BaseFileLock | None:
        """The lock on `key`, once no other process has it; None where there is none to be had.

        Raises:
            Cancelled: `stop` was set while waiting.
        """
        from filelock import FileLock, Timeout  # the window, which imports this, claims nothing

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / f"{key[:_DIGITS]}.claim", thread_local=False)
            while True:
                try:
                    lock.acquire(blocking=False)
                    return lock
                except Timeout:
                    if stop.is_set():
                        raise Cancelled from None
                    time.sleep(_LOOK)
        except (OSError, NotImplementedError):
            return None
