"""Reads project files in a background thread.

The thread creates plain Python values only; Qt objects are created in the main thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.ui.common.message_bars import MessageBars
from nodeforge.ui.documents.workspace import Workspace

if TYPE_CHECKING:
    from nodeforge.formats.bundle import Project

_PATIENCE = 200
"""Milliseconds until a progress message is shown."""
_INTERVAL = 100

Then = Callable[["Project"], None]
Failed = Callable[[str], None]


class _StoppedError(RequestError):
    """Reading was cancelled by the user or by closing the window."""


@dataclass(eq=False)
class _Reading:
    """A project in the reading queue."""

    path: Path
    then: Then
    failed: Failed
    share: float = 0.0
    stopped: bool = False

    def report_progress(self, share: float) -> None:
        """Report progress; called from the reading thread."""
        if self.stopped:
            raise _StoppedError("is not opened.")
        self.share = share


class ProjectReader(QObject):
    """Reads projects one after another.

    Args:
        message_bars: Shows the progress, if reading takes a while.
    """

    _done = Signal(object, object)

    def __init__(self, workspace: Workspace, message_bars: MessageBars) -> None:
        super().__init__()
        self._workspace, self._message_bars = workspace, message_bars
        self._reader = ThreadPoolExecutor(1, "projects")
        self._readings: list[_Reading] = []
        self._closed = False
        self._done.connect(self._arrived, Qt.ConnectionType.QueuedConnection)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show)

    @property
    def busy(self) -> bool:
        return bool(self._readings)

    def read(self, path: Path, then: Then, failed: Failed) -> None:
        """Read the project at `path`, unless it is being read already.

        Args:
            then: Called with the project, in the main thread.
            failed: Called with the reason, in the main thread, if it cannot be read.
        """
        if any(each.path == path and not each.stopped for each in self._readings):
            return
        reading = _Reading(path, then, failed)
        self._readings.append(reading)
        projects = self._workspace.projects()
        made = self._reader.submit(lambda: projects.load(path, reading.report_progress))
        made.add_done_callback(lambda made: self._closed or self._done.emit(reading, made))
        if not self._clock.isActive():
            self._clock.start(_PATIENCE)

    def stop(self) -> None:
        """Cancel all reading."""
        for each in self._readings:
            each.stopped = True
        self._message_bars.dismiss("reading")

    def close(self) -> None:
        """The window ends."""
        self._closed = True
        self._clock.stop()
        self.stop()
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _arrived(self, reading: _Reading, made: Future[Project]) -> None:
        if self._closed:
            return
        self._readings.remove(reading)
        if not self._readings:
            self._clock.stop()
            self._message_bars.dismiss("reading")
        error = made.exception()
        if reading.stopped:
            return
        if isinstance(error, NodeForgeError):
            reading.failed(str(error))
        elif isinstance(error, MemoryError):
            reading.failed(f"{reading.path.name}: there is not enough memory to open it.")
        elif error is not None:
            raise error
        else:
            reading.then(made.result())

    def _show(self) -> None:
        """Show the progress message."""
        self._clock.setInterval(_INTERVAL)
        waiting = [each for each in self._readings if not each.stopped]
        if waiting:
            more = f", {len(waiting) - 1} more to come" if len(waiting) > 1 else ""
            text = f"Opening {waiting[0].path.name}{more}…"
            self._message_bars.show_progress("reading", text, waiting[0].share, ("Stop", self.stop))
