"""What painting on a 4096 x 4096 canvas of 4 layers costs, without a window.

python -m benchmarks.canvas_painting [--json]

Milliseconds of this process' CPU time, medians, with the bound that each has.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from benchmarks.reporting import options, tell
from nodeforge.canvas import (
    TILE,
    Brush,
    Canvas,
    ColourPaint,
    CompositeTiles,
    LayerKind,
    Sample,
    State,
    Stroke,
    Tiles,
    activate,
    add_layer,
    open_picture,
)
from nodeforge.graph.document import Document

SIDE = 4096
VIEW = (1920, 1080)
DABS = 60
INK = ColourPaint((200, 40, 30, 255))

BOUNDS = {
    "dab on a picture, radius 64": 0.5,
    "dab on a picture, radius 256": 1.0,
    "dab on an empty layer, radius 64": 0.5,
    "dab on an empty layer, radius 256": 1.0,
    "tiles of a view, kept, 1:1": 4.0,
    "tiles of a view, kept, 1:4": 4.0,
    "tiles of a view after a dab of radius 64": 4.0,
    "stroke of 600 px, radius 64, to undo (MiB)": 2.0,
    "open a JPEG of 8192 x 8192": 2000.0,
    "open a PNG of 8192 x 8192": 4000.0,
}


def measure() -> dict[str, float]:
    document, canvas = Document(), Canvas(State(SIDE, SIDE))
    pixels = np.dstack([_photo(SIDE), np.full((SIDE, SIDE), 255, np.uint8)])
    document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=Tiles.of(pixels)))
    for number in range(3):
        document.perform(add_layer(canvas, tiles=Tiles.of(pixels[:900, :1500], 400 * number, 300)))
    document.perform(add_layer(canvas))
    figures: dict[str, float] = {}
    for where, id in (("a picture", "picture"), ("an empty layer", "paint_4")):
        document.perform(activate(canvas, id))
        for radius in (64, 256):
            figures[f"dab on {where}, radius {radius}"] = _dab(canvas, radius)
    document.perform(activate(canvas, "picture"))
    figures |= _views(canvas)
    figures["stroke of 600 px, radius 64, to undo (MiB)"] = _undo(document, canvas)
    figures |= _opening()
    return figures


def _photo(side: int) -> np.ndarray:
    """Something as hard to pack as a photograph: slopes with a little noise."""
    rng = np.random.default_rng(0)
    rows = np.linspace(0, 6, side, dtype=np.float32)
    slope = 120 + 90 * np.sin(rows)[:, None] * np.cos(rows)[None, :]
    noise = rng.normal(0, 4, (side // 4, side // 4)).astype(np.float32)
    grey = np.clip(slope + noise.repeat(4, 0).repeat(4, 1), 0, 255).astype(np.uint8)
    return np.dstack([grey, np.roll(grey, 50, 0), np.roll(grey, 90, 1)])


def _dab(canvas: Canvas, radius: int) -> float:
    stroke = Stroke(canvas, Brush(2 * radius), INK)
    stroke.begin(Sample(700, 700))
    step = 2 * radius * 0.1
    places = iter(np.arange(700 + step, 5000, step))

    def dab() -> None:
        place = float(next(places)) % 3000 + 500
        stroke.extend(Sample(place, 700 + place / 4), straight=True)

    figure = _median(dab, DABS)
    stroke.cancel()
    return figure


def _views(canvas: Canvas) -> dict[str, float]:
    view = CompositeTiles(canvas)
    stroke = Stroke(canvas, Brush(128), INK)
    stroke.begin(Sample(600, 600))

    def after_a_dab() -> float:
        stroke.extend(Sample(np.random.default_rng().uniform(300, 1500), 600), straight=True)
        return _median(lambda: _show(view, 0), 1)

    for level in (0, 2):
        _show(view, level)
    figures = {
        "tiles of a view, kept, 1:1": _median(lambda: _show(view, 0)),
        "tiles of a view, kept, 1:4": _median(lambda: _show(view, 2)),
    }
    whole = [after_a_dab() for _ in range(20)]
    stroke.cancel()
    _show(view, 0)
    stroke = Stroke(canvas, Brush(128), INK)
    stroke.begin(Sample(300, 600))
    steps = []
    for number in range(40):
        stroke.extend(Sample(300 + number * 13, 600), straight=True)
        steps.append(_median(lambda: _show(view, 0), 1))
    stroke.cancel()
    figures["tiles of a view after a dab of radius 64"] = statistics.median(steps)
    figures["tiles of a view after a line across it"] = statistics.median(whole)
    return figures


def _show(view: CompositeTiles, level: int) -> None:
    for row in range(-(-VIEW[1] // TILE) + 1):
        for column in range(-(-VIEW[0] // TILE) + 1):
            view.tile(column, row, level)


def _undo(document: Document, canvas: Canvas) -> float:
    before = document.history.bytes
    stroke = Stroke(canvas, Brush(128), INK)
    stroke.begin(Sample(500, 500))
    for place in range(10, 610, 10):
        stroke.extend(Sample(500 + place * 0.8, 500 + place * 0.6))
    document.perform(stroke.end())
    return (document.history.bytes - before) / 2**20


def _opening() -> dict[str, float]:
    figures = {}
    for name, format, choice in (
        ("JPEG", "JPEG", {"quality": 92}),
        ("PNG", "PNG", {"compress_level": 4}),
    ):
        out = io.BytesIO()
        Image.fromarray(_photo(8192)).save(out, format, **choice)
        data = out.getvalue()
        figures[f"open a {name} of 8192 x 8192"] = _median(lambda d=data: open_picture(d), 3)
    return figures


def _median(work: Callable[[], object], times: int = 30) -> float:
    return statistics.median(_milliseconds(work) for _ in range(times))


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def _line(name: str, figure: float) -> str:
    bound = f"  at most {BOUNDS[name]:g}" if name in BOUNDS else ""
    return f"{name:<46}{figure:10.3f}{bound}"


def main() -> None:
    arguments = options(__doc__).parse_args()
    tell(measure(), arguments.json, _line)


if __name__ == "__main__":
    main()
