"""Collects Python's garbage in the window's thread only.

Python collects cycles in whichever thread happens to allocate. Where such a cycle holds an object
of Qt, as a panel and what listens to it, that is then destroyed in the wrong thread, under the
window's hands: now and then a segmentation fault.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL = 500
"""Milliseconds between two looks at whether there is enough to collect."""
_YOUNG, _ALL = 700, 70_000
"""So many objects more: the young are looked through, or all; as often as Python does it."""


class GarbageCollector(QObject):
    """Takes over from Python's own collector while it lives; made in the window's thread."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        parent.destroyed.connect(gc.enable)
        self._more = 0
        self._timer = QTimer(self, interval=_INTERVAL)
        self._timer.timeout.connect(self.collect_if_needed)
        self._timer.start()

    def collect_if_needed(self) -> None:
        """Collect if enough was made since the last time."""
        made = gc.get_count()[0]
        if self._more + made > _ALL:
            self._more = 0
            gc.collect()
        elif made > _YOUNG:
            self._more += made
            gc.collect(1)
