"""What the canvas costs on the screen: 4096 x 4096, four layers, in a view of 1920 x 1080.

python -m benchmarks.canvas_view [--json]

Milliseconds of this process' CPU time, offscreen, medians, with the bound that each has.
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

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import (
    Brush,
    Canvas,
    ColourPaint,
    LayerKind,
    Sample,
    State,
    Stroke,
    Tiles,
    add_layer,
    rectangle,
    select,
)
from nodeforge.graph.document import Document
from nodeforge.ui.application.app import window_store
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.common import theme
from nodeforge.ui.documents.open_document import OpenDocument

SIDE = 4096
VIEW = (1920, 1080)
ZOOMS = (0.26, 0.33, 0.5, 0.8, 1.0, 1.5, 2.0, 5.0)
FRAMES = 25
BOUNDS = {"repaint": 4.0, "pan": 16.0, "zoom": 16.0, "dab": 10.0, "turned": 16.0}


def painted(document: Document) -> Canvas:
    """A picture, two half-transparent paint layers and a mask, all of them full."""
    rng = np.random.default_rng(1)
    canvas = Canvas(State(SIDE, SIDE))
    picture = np.full((SIDE, SIDE, 4), 255, np.uint8)
    picture[..., :3] = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=Tiles.of(picture)))
    for value in (60, 120):
        paint = np.full((SIDE, SIDE, 4), value // 2, np.uint8)
        document.perform(add_layer(canvas, LayerKind.PAINT, tiles=Tiles.of(paint)))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[1000:3000, 1000:3000] = 255
    document.perform(add_layer(canvas, LayerKind.MASK, tiles=Tiles.of(mask)))
    document.perform(select(canvas, rectangle(900, 900, 3100, 3100)))
    return canvas


class Screen:
    """The view, and how long it takes."""

    def __init__(self, app: QApplication, home: Path) -> None:
        opened = OpenDocument(Document())
        self.canvas = painted(opened.document)
        opened.set_canvas(self.canvas)
        self.session = CanvasSession(opened, self.canvas, ToolOptions(window_store(home)))
        self.view = CanvasView(self.session, theme.DARK)
        self.view.resize(*VIEW)
        self.view.show()
        app.processEvents()

    def update_view(self, zoom: float, turn: float = 0.0) -> None:
        self.view.camera.rotation = turn
        self.view.camera.centre = QPointF(SIDE / 2 + 0.3, SIDE / 2 + 0.7)
        self.view.zoom_to(zoom)
        self.view.repaint()

    def repaint(self) -> float:
        """A frame of what has not changed, as when a window above it is moved."""
        return _median(self.view.repaint)

    def pan(self) -> float:
        def work() -> None:
            self.view.pan(QPointF(-24, -16))
            self.view.repaint()

        return _median(work)

    def zoom(self) -> float:
        def work() -> None:
            self.view.zoom_by(1.01)
            self.view.repaint()

        return _median(work)

    def dab(self, radius: int) -> float:
        """A dab and the repaint of its own rectangle."""
        stroke = Stroke(self.canvas, Brush(size=2 * radius), ColourPaint((200, 40, 30, 255)))
        places = iter(range(10_000))
        x = SIDE / 2
        stroke.begin(Sample(x, SIDE / 2))
        app = QApplication.instance()
        assert app is not None

        def work() -> None:
            place = x + next(places) % 20 * radius / 5
            stroke.extend(Sample(place, SIDE / 2))
            app.processEvents()

        figure = _median(work)
        stroke.cancel()
        return figure


def _median(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(FRAMES):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def measure(app: QApplication, home: Path) -> dict[str, float]:
    screen = Screen(app, home)
    figures: dict[str, float] = {}
    for zoom in ZOOMS:
        screen.update_view(zoom)
        figures[f"repaint at {zoom:.0%}"] = screen.repaint()
        figures[f"pan at {zoom:.0%}"] = screen.pan()
        screen.update_view(zoom)
        figures[f"zoom at {zoom:.0%}"] = screen.zoom()
    screen.update_view(0.7, 20)
    figures["turned, pan at 70%"] = screen.pan()
    screen.update_view(1.0)
    for radius in (64, 256):
        figures[f"dab of radius {radius} with its repaint"] = screen.dab(radius)
    return figures


def main() -> None:
    parsed = options(__doc__).parse_args()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as home:
        figures = measure(app, Path(home))

    def line(name: str, figure: float) -> str:
        bound = next(value for start, value in BOUNDS.items() if name.startswith(start))
        return f"{name:<36}{figure:8.2f} ms  of {bound:.0f}"

    tell(figures, parsed.json, line)


if __name__ == "__main__":
    main()
