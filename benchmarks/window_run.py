"""The window while a workflow runs: CPU of its slots, lag of its loop, how soon it answers.

python -m benchmarks.window_run [--json] [--steps N]

A real worker runs the shipped model. Lag is how late a timer of 5 ms fires; idle and running
are measured in one process, one after the other.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.reporting import options, tell

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Node
from nodeforge.settings import Settings, shipped
from nodeforge.ui.application.app import window_store
from nodeforge.ui.common import theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow

TICK = 5.0
IDLE = 4.0
PATIENCE = 300.0
PRESSES = 9
WAITING = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
CONTROL = Qt.KeyboardModifier.ControlModifier


class TimedApplication(QApplication):
    """Measures the CPU time of every event that the loop delivers, with all it leads to."""

    def __init__(self) -> None:
        super().__init__([])
        self.spent: list[tuple[float, str]] = []
        self._depth = 0

    def notify(self, receiver: QObject, event: QEvent) -> bool:
        if self._depth:
            return super().notify(receiver, event)
        self._depth += 1
        start = time.thread_time()
        try:
            return super().notify(receiver, event)
        finally:
            self._depth -= 1
            took = (time.thread_time() - start) * 1000
            if took > 1:
                self.spent.append((took, f"{type(receiver).__name__} {event.type().name}"))


class Lag(QObject):
    """How late the loop is, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=round(TICK))
        self._timer.timeout.connect(self._tick)  # pyright: ignore[reportAttributeAccessIssue]
        self._last = time.perf_counter()

    def start(self) -> None:
        self.late, self._last = [], time.perf_counter()
        self._timer.start()

    def stop(self) -> float:
        """The 99th percentile."""
        self._timer.stop()
        return statistics.quantiles(self.late, n=100)[98]

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - TICK))
        self._last = now


class Bench:
    """One window with a real worker that is warm."""

    def __init__(self, app: TimedApplication, home: Path, steps: int) -> None:
        self.app, self.steps = app, steps
        workspace = Workspace(Settings(home=home, device="cpu"), window_store(home))
        theme.apply(app, workspace.theme)
        self.window = MainWindow(workspace)
        self.window.resize(1600, 1000)
        self.window.show()
        self.window.files.open(shipped("workflows") / "text_to_image.json")
        assert workspace.current is not None
        self.opened: OpenDocument = workspace.current
        self.opened.document.graph.nodes["save"] = Node("image.preview")
        self.run()

    def set(self, node: str, port: str, value: object) -> None:
        self.opened.perform(SetValue(node, port, value))

    def run(self) -> None:
        self.window.run_menu.run()
        self.until(lambda: not self.window.runner.busy)
        self.rest(0.5)

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, "the window did not get there"
            self.app.processEvents(WAITING, 20)

    def rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents(WAITING, 20)

    def press(self) -> float:
        """Press Ctrl+Enter; when, in seconds."""
        start = time.perf_counter()
        QTest.keyClick(self.window, Qt.Key.Key_Return, CONTROL)
        return start

    def previewed_run(self) -> dict[str, float]:
        """Slots and lag while every step is previewed."""
        lag = Lag()
        self.rest(1.0)
        lag.start()
        self.rest(IDLE)
        idle = lag.stop()
        self.set("schedule", "steps", self.steps)
        self.rest(0.5)
        self.app.spent = []
        lag.start()
        start = time.perf_counter()
        self.window.run_menu.run()
        self.until(lambda: not self.window.runner.busy)
        taken = time.perf_counter() - start
        running = lag.stop()
        slowest = max(self.app.spent, default=(0.0, ""))
        print(f"slowest: {slowest[1]}, {len(self.app.spent)} over 1 ms")
        return {
            "previews_a_second": len(self.opened.step_pictures["denoise"]) / taken,
            "slowest_slot_cpu_ms": slowest[0],
            "lag_p99_idle_ms": idle,
            "lag_p99_running_ms": running,
            "lag_ratio": running / max(idle, 0.1),
        }

    def answers(self) -> dict[str, float]:
        """How soon a run is seen to start, and a cached picture to be there."""
        started, pictured = [], []
        self.set("schedule", "steps", 2)
        for turn in range(PRESSES):
            self.set("noise", "seed", 100 + turn)
            self.rest(0.6)
            started.append(self._until_told(self.opened.states_changed, _is_running))
            self.until(lambda: not self.window.runner.busy)
            self.rest(0.6)
            pictured.append(self._until_told(self.opened.picture_changed, _is_decoded))
            self.until(lambda: not self.window.runner.busy)
        return {
            "started_ms": statistics.median(started),
            "cached_picture_ms": statistics.median(pictured),
        }

    def _until_told(self, signal, wanted: Callable[[object], bool]) -> float:
        """Milliseconds from the press until `signal` tells what is wanted, and it is painted."""
        told: list[object] = []

        def hear(what: object) -> None:
            if wanted(what):
                told.append(what)

        signal.connect(hear)
        start = self.press()
        self.until(lambda: bool(told))
        self.app.processEvents()
        signal.disconnect(hear)
        return (time.perf_counter() - start) * 1000


def _is_running(states: object) -> bool:
    assert isinstance(states, dict)
    return any(state.kind == "running" for state in states.values())


def _is_decoded(node: object) -> bool:
    return node in ("decode", "save")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--steps", type=int, default=80)
    arguments = parser.parse_args()
    app = TimedApplication()
    with tempfile.TemporaryDirectory() as home:
        os.environ["NODEFORGE_HOME"] = home
        bench = Bench(app, Path(home), arguments.steps)
        figures = bench.previewed_run() | bench.answers()
        bench.opened.document.history.mark_saved()
        bench.window.close()
    tell(figures, arguments.json)


if __name__ == "__main__":
    main()
