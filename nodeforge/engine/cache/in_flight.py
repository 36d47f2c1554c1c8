"""Makes a run wait for a result that another run is computing."""

from __future__ import annotations

import threading

from nodeforge.errors import Cancelled

_LOOK = 0.05
"""Seconds between looks at the stop flag."""


class InFlight:
    """Keys that runs of one process are computing at this moment.

    A run holds at most one key, and waits for another only while it holds none.
    """

    def __init__(self) -> None:
        self._holders: dict[str, object] = {}
        self._released = threading.Condition()
        self._waiting = 0

    def hold(self, key: str, holder: object, stop: threading.Event) -> bool:
        """Hold `key` until it is released; gives whether another held it before.

        Raises:
            Cancelled: `stop` was set while waiting.
        """
        if self._holders.setdefault(key, holder) is holder:
            return False
        with self._released:
            self._waiting += 1
            try:
                while self._holders.setdefault(key, holder) is not holder:
                    if stop.is_set():
                        raise Cancelled
                    self._released.wait(_LOOK)
            finally:
                self._waiting -= 1
        return True

    def release(self, key: str) -> None:
        """Let others hold `key`."""
        del self._holders[key]
        if self._waiting:
            with self._released:
                self._released.notify_all()
