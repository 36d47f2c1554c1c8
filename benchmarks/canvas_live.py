"""Live mode: how soon a new picture follows the last dab, and what painting costs meanwhile.

python -m benchmarks.canvas_live [--json] [--rounds N]

A real worker runs the shipped model on 256 x 256 pixels, 4 steps, on the CPU. Lag is how late a
timer of 5 ms fires, while strokes are drawn without live mode and then with it, in one process.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import options, tell

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent

from benchmarks.window_run import WAITING, Lag, TimedApplication
from nodeforge.canvas import Canvas, LayerKind, State, Tiles, add_layer, open_picture
from nodeforge.canvas.transfer.pictures import state_of
from nodeforge.settings import Settings, shipped
from nodeforge.ui.application.app import window_store
from nodeforge.ui.common import theme
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow

PATIENCE = 300.0
SIDE = 256
STROKE = 3.0
"""Seconds of drawing."""
PACE = 0.012
"""Seconds between two events of the mouse."""
BOUNDS = {"picture after the last dab, s": 1.5, "slowest dab, ms": 10.0, "lag, times": 2.0}


class Bench:
    """A window with a canvas in front, and a worker that is warm."""

    def __init__(self, app: TimedApplication, home: Path) -> None:
        self.app = app
        workspace = Workspace(Settings(home=home, device="cpu"), window_store(home))
        theme.apply(app, workspace.theme)
        self.window = MainWindow(workspace)
        self.window.resize(1600, 1000)
        self.window.show()
        workspace.new()
        assert workspace.current is not None
        workspace.current.set_canvas(Canvas(_fox()))
        self.window.area.show_view("canvas")
        tab = self.window.area.canvas
        assert tab is not None
        assert tab.editor is not None
        self.editor, self.view = tab.editor, tab.editor.view
        self.editor.form.seed_mode = "fixed"
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[64:192, 64:192] = 255
        canvas = self.editor.session.canvas
        self.editor.session.perform(add_layer(canvas, LayerKind.MASK, tiles=Tiles.of(mask)))
        self.window.area.show_view("canvas")
        self.editor.session.swap_mask()
        self.editor.session.tool.set("size", 20)
        self.seed = 0

    def warm(self) -> None:
        self.live(True)
        self.next_picture()
        self.live(False)
        self.until(lambda: not self.window.runner.busy)

    def live(self, on: bool) -> None:
        self.editor.live.set_enabled(on)

    def next_picture(self) -> float:
        """Wait until a new candidate is shown; seconds."""
        before, start = self.editor.staging.candidate, time.perf_counter()
        self.until(
            lambda: self.editor.staging.candidate is not before and not self.editor.generator.busy
        )
        return time.perf_counter() - start

    def draw(self, seconds: float) -> list[float]:
        """A stroke; CPU milliseconds of each event's slot, with the repaint it leads to."""
        spent: list[float] = []
        end, number = time.perf_counter() + seconds, 0
        self._send(QEvent.Type.MouseButtonPress, 0)
        while time.perf_counter() < end:
            number += 1
            start = time.thread_time()
            self._send(QEvent.Type.MouseMove, number)
            spent.append((time.thread_time() - start) * 1000)
            until = time.perf_counter() + PACE
            while time.perf_counter() < until:
                self.app.processEvents(WAITING, 2)
        self._send(QEvent.Type.MouseButtonRelease, number)
        return spent

    def _send(self, kind: QEvent.Type, number: int) -> None:
        angle = number * 0.05
        place = QPointF(128 + 60 * np.cos(angle), 128 + 60 * np.sin(angle))
        at = self.view.camera.to_view(place)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        button = none if kind is QEvent.Type.MouseMove else left
        held = none if kind is QEvent.Type.MouseButtonRelease else left
        far = QPointF(self.view.mapToGlobal(at.toPoint()))
        keys = Qt.KeyboardModifier.NoModifier
        self.app.sendEvent(self.view, QMouseEvent(kind, at, far, button, held, keys))

    def until(self, done) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, "the window did not get there"
            self.app.processEvents(WAITING, 10)

    def close(self) -> None:
        for opened in self.window.workspace.documents:
            opened.document.history.mark_saved()
        self.window.runner.jobs.running.clear()
        self.window.close()


def _fox() -> State:
    return state_of(open_picture(shipped("resources") / "examples" / "fox.png"))


def measure(editor: Bench, rounds: int) -> dict[str, float]:
    editor.warm()
    lag = Lag()
    editor.draw(0.5)
    lag.start()
    plain = editor.draw(STROKE)
    without = lag.stop()
    editor.live(True)
    editor.next_picture()
    lag.start()
    live = editor.draw(STROKE)
    with_live = lag.stop()
    editor.next_picture()
    after: list[float] = []
    for _ in range(rounds):
        editor.draw(0.3)
        after.append(editor.next_picture())
    editor.live(False)
    editor.until(lambda: not editor.window.runner.busy)
    return {
        "picture after the last dab, s": statistics.median(after),
        "picture after the last dab, slowest, s": max(after),
        "slowest dab, ms": max(live),
        "median dab, ms": statistics.median(live),
        "slowest dab without live mode, ms": max(plain),
        "lag without live mode, p99 ms": without,
        "lag with live mode, p99 ms": with_live,
        "lag, times": with_live / max(without, 0.5),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parsed = parser.parse_args()
    app = TimedApplication()
    with tempfile.TemporaryDirectory() as home:
        os.environ["NODEFORGE_HOME"] = home
        editor = Bench(app, Path(home))
        figures = measure(editor, parsed.rounds)
        editor.close()

    def line(name: str, figure: float) -> str:
        bound = f"  of {BOUNDS[name]:g}" if name in BOUNDS else ""
        return f"{name:<42}{figure:8.2f}{bound}"

    tell(figures, parsed.json, line)


if __name__ == "__main__":
    main()
