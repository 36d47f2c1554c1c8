"""The window while the queue works off a large grid: its stalls, and what a cell costs there.

python -m benchmarks.window_queue [--json] [--cells 100] [--run 40] [--hidden] [--profile FILE]

A real worker runs the shipped model, a step a cell, at 64 × 64. A stall is how late a timer
of 5 ms fires; its processor time is that of the window's thread meanwhile, which other processes do
not lengthen.
"""

from __future__ import annotations

import cProfile
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.reporting import options, tell

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from nodeforge.engine import events
from nodeforge.engine.sweeps.axes import Axis, parse_axis
from nodeforge.graph.edits import SetValue
from nodeforge.settings import Settings, shipped
from nodeforge.ui.application.app import window_store
from nodeforge.ui.common import theme
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow

PATIENCE = 600.0
TICK = 5
COLUMNS = 10
LEFT_OUT = 3
"""Cells at the start, of which the first loads the model."""
WAITING = QEventLoop.ProcessEventsFlag.WaitForMoreEvents


class Stalls(QObject):
    """How long the event loop takes between two looks at its timers, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.wall: list[float] = []
        self.processor: list[float] = []
        self._last = time.perf_counter(), time.thread_time()
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer, interval=TICK)
        self._timer.timeout.connect(self._look)  # pyright: ignore[reportAttributeAccessIssue]
        self._timer.start()

    def clear(self) -> None:
        self.wall, self.processor = [], []

    def _look(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall.append(max(0.0, (now[0] - self._last[0]) * 1000 - TICK))
        self.processor.append((now[1] - self._last[1]) * 1000)
        self._last = now


class Bench:
    """One window, with the panels *Queue* and *Grids* beside each other or hidden."""

    def __init__(self, app: QApplication, home: Path, *, shown: bool) -> None:
        self._app = app
        workspace = Workspace(Settings(home=home, device="cpu"), window_store(home))
        theme.apply(app, workspace.theme)
        self.window = MainWindow(workspace)
        self.window.resize(1600, 1000)
        self.window.show()
        self.window.files.open(shipped("workflows") / "text_to_image.json")
        assert workspace.current is not None
        self.opened = workspace.current
        for node, port, value in (
            ("noise", "width", 64),
            ("noise", "height", 64),
            ("schedule", "steps", 1),
        ):
            self.opened.perform(SetValue(node, port, value))
        docks = self.window.docks.all
        if shown:
            docks["queue"].show()
            docks["grids"].show()
            self.window.splitDockWidget(docks["queue"], docks["grids"], Qt.Orientation.Horizontal)
            docks["queue"].raise_()
        else:
            docks["gallery"].raise_()
        self.stalls = Stalls()
        self.in_nodes, self.done = 0.0, 0
        runner = self.window.runner
        runner.finished.connect(self._on_finished)  # pyright: ignore[reportAttributeAccessIssue]
        heard = runner.worker.events_received
        heard.connect(self._on_events)  # pyright: ignore[reportAttributeAccessIssue]

    def work_off(self, cells: int, count: int) -> dict[str, float]:
        """Queue a grid of `cells`, run `count` of them, and cancel the others."""
        runner, groups = self.window.runner, self.window.sweeps.groups
        self._until(lambda: runner.planner.costs is not None)
        start = time.perf_counter()
        group = groups.start_sweep(self.opened, self._axes(cells))
        self._app.processEvents()
        figures = {"queue_the_grid_ms": (time.perf_counter() - start) * 1000}
        self.window.sweeps.grid.show_group(group)
        self._until(lambda: self.done >= LEFT_OUT)
        self.stalls.clear()
        self.in_nodes, first, start = 0.0, self.done, time.perf_counter()
        self._until(lambda: self.done >= first + count)
        taken, ran = time.perf_counter() - start, self.done - first
        stalls = self.stalls
        figures |= {
            "longest_stall_ms": max(stalls.wall),
            "longest_stall_processor_ms": max(stalls.processor),
            "stall_a_cell_ms": _median_of_longest(stalls.wall, ran),
            "window_processor_a_cell_ms": sum(stalls.processor) / ran,
            "a_cell_beside_its_nodes_ms": (taken - self.in_nodes) / ran * 1000,
        }
        start = time.perf_counter()
        runner.cancel_all()
        self._app.processEvents()
        figures["cancel_all_ms"] = (time.perf_counter() - start) * 1000
        self._until(lambda: not runner.busy)
        return figures

    def _axes(self, cells: int) -> list[Axis]:
        document, catalogue = self.opened.document, self.window.workspace.catalogue
        columns = min(COLUMNS, cells)
        texts = (f"noise.seed=1:{cells // columns}:1", f"guidance.scale=1:{columns}:1")
        return [parse_axis(text, document, catalogue) for text in texts]

    def _on_finished(self, job: object) -> None:
        del job
        self.done += 1

    def _on_events(self, arrived: list[events.Event]) -> None:
        for event in arrived:
            if isinstance(event, events.Finished) and event.source is events.Source.COMPUTED:
                self.in_nodes += event.seconds

    def _until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, "the window did not get there"
            self._app.processEvents(WAITING)  # with a time to wait it would not wait


def _median_of_longest(wall: list[float], cells: int) -> float:
    """The median of as many of the longest as there are cells: one stall each."""
    return statistics.median(sorted(wall, reverse=True)[:cells])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--run", type=int, default=40, help="so many of the cells are run")
    parser.add_argument("--hidden", action="store_true", help="the panels are not shown")
    parser.add_argument("--profile", help="write a profile of the window's thread to this file")
    arguments = parser.parse_args()
    app = QApplication([])
    profile = cProfile.Profile(time.thread_time)
    with tempfile.TemporaryDirectory() as home:
        os.environ["NODEFORGE_HOME"] = home
        bench = Bench(app, Path(home), shown=not arguments.hidden)
        if arguments.profile:
            profile.enable()
        figures = bench.work_off(arguments.cells, arguments.run)
        if arguments.profile:
            profile.disable()
            profile.dump_stats(arguments.profile)
        bench.opened.document.history.mark_saved()
        bench.window.close()
    tell(figures, arguments.json)


if __name__ == "__main__":
    main()
