"""Reads files one after another in a background thread, with progress and a way to stop.

The thread creates plain Python values only; Qt objects are created in the main thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from nodeforge.errors import NodeForgeError, RequestError

_PATIENCE = 200
"""Milliseconds until progress is shown."""
_INTERVAL = 100

ReportProgress = Callable[[float], None]
Work = Callable[[ReportProgress], Any]


class _StoppedError(RequestError):
    """Reading was stopped by the user or by closing the window."""


@dataclass(eq=False)
class _Reading:
    """A file in the reading queue."""

    key: object
    name: str
    then: Callable[[Any], object]
    failed: Callable[[NodeForgeError], object]
    share: float = 0.0
    stopped: bool = False

    def run(self, work: Work) -> Any:
        """Do the work, in the reading thread; nothing once it is stopped."""
        self.report(0.0)
        return work(self.report)

    def report(self, share: float) -> None:
        if self.stopped:
            raise _StoppedError("is not opened.")
        self.share = share


class BackgroundReader(QObject):
    """Reads files in the order in which they are asked for."""

    progress = Signal(str, float)
    """Which file is being read, as a sentence, and the share that is read (0..1); emitted only if
    it takes a while."""
    finished = Signal()
    """Nothing is being read any more, or all of it was stopped."""
    _done = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = ThreadPoolExecutor(1, "reading")
        self._readings: list[_Reading] = []
        self._closed = False
        self._done.connect(self._arrived, Qt.ConnectionType.QueuedConnection)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show)

    @property
    def busy(self) -> bool:
        return bool(self._readings)

    def read(
        self,
        name: str,
        work: Work,
        then: Callable[[Any], object],
        failed: Callable[[NodeForgeError], object],
        key: object = None,
    ) -> None:
        """Read a file, unless one of the same key is being read already.

        Args:
            name: What it is called.
            work: Reads it, in the background; it gets a function that takes the share that is
                read, and that raises once reading is stopped.
            then: Called with what `work` returns, in the main thread, unless it was stopped.
            failed: Called with the reason, in the main thread, if it cannot be read.
            key: Tells files apart; None is like no other.
        """
        waiting = (each for each in self._readings if not each.stopped)
        if self._closed or (key is not None and any(each.key == key for each in waiting)):
            return
        reading = _Reading(key, name, then, failed)
        self._readings.append(reading)
        made = self._thread.submit(reading.run, work)
        made.add_done_callback(lambda made: self._closed or self._done.emit(reading, made))
        if not self._clock.isActive():
            self._clock.start(_PATIENCE)

    def stop(self) -> None:
        """Stop all reading; nothing of it is opened."""
        for each in self._readings:
            each.stopped = True
        self.finished.emit()

    def close(self) -> None:
        """The window ends."""
        self._closed = True
        self._clock.stop()
        self.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _arrived(self, reading: _Reading, made: Future[Any]) -> None:
        if self._closed:
            return
        self._readings.remove(reading)
        if not self._readings:
            self._clock.stop()
            self.finished.emit()
        error = made.exception()
        if reading.stopped:
            return
        if isinstance(error, NodeForgeError):
            reading.failed(error)
        elif isinstance(error, MemoryError):
            fact = "there is not enough memory to open it."
            reading.failed(RequestError(fact, place=reading.name))
        elif isinstance(error, OSError):
            fact = f"cannot be read: {error.strerror or error}."
            reading.failed(RequestError(fact, place=reading.name))
        elif error is not None:
            raise error
        else:
            reading.then(made.result())

    def _show(self) -> None:
        """Tell of the progress."""
        self._clock.setInterval(_INTERVAL)
        waiting = [each for each in self._readings if not each.stopped]
        if waiting:
            more = f", {len(waiting) - 1} more to come" if len(waiting) > 1 else ""
            self.progress.emit(f"Opening {waiting[0].name}{more}…", waiting[0].share)
