"""Cycles that hold Qt's objects, and the threads beside the window's."""

import threading

from PySide6.QtCore import QObject

from nodeforge.ui.application.garbage_collector import GarbageCollector


class Panel(QObject):
    """Holds itself, as one does that listens to its own signals."""

    def __init__(self, ended: list[int]) -> None:
        super().__init__()
        self.myself, self._ended = self, ended

    def __del__(self) -> None:
        self._ended.append(threading.get_ident())


def _allocate() -> list[list[int]]:
    return [[number] for number in range(20_000)]


def test_a_cycle_of_qt_objects_is_never_collected_by_another_thread(qapp):
    garbage_collector = GarbageCollector(qapp)
    ended: list[int] = []
    for _ in range(10):
        Panel(ended)
    other = threading.Thread(target=_allocate)
    other.start()
    other.join()
    assert not ended
    kept = _allocate()
    garbage_collector.collect_if_needed()
    assert ended == [threading.get_ident()] * 10
    assert len(kept) == 20_000
