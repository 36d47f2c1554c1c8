"""Runs Python's garbage collector in the main thread only.

Python collects cycles in whichever thread happens to allocate. A cycle that holds a Qt object
would then be destroyed in the wrong thread, which can end in a segmentation fault.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL = 500
"""Milliseconds between two checks."""
_YOUNG, _ALL = 700, 70_000
"""New objects until a young or a full collection, as in Python itself."""


class GarbageCollector(QObject):
    """Replaces Python's automatic collection while it exists; create it in the main thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        parent.destroyed.connect(gc.enable)
        self._more = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self.collect_if_needed)
        self._timer.start()

    def collect_if_needed(self) -> None:
        """Collect if enough objects were created since the last time."""
        made = gc.get_count()[0]
        if self._more + made > _ALL:
            self._more = 0
            gc.collect()
        elif made > _YOUNG:
            self._more += made
            gc.collect(1)
