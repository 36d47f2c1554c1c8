"""Scrubbing and playing a video of 121 frames of 832 x 480 in the viewer of the real window.

python -m benchmarks.video_scrubbing [--json] [--width 832] [--height 480] [--viewer 900]

Times are from setting the timeline to the end of painting that frame, in milliseconds. *Cold* is
the first look at a clip that was opened that moment; *dragged* goes on through all frames, one at
a time, from a cold start; *disk* is a clip that another worker has computed; *file* is an MP4 of
ours, read without a window.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.reporting import options, tell

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtWidgets import QApplication

from benchmarks.window_run import Lag
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.media.clip_reader import ClipReader
from nodeforge.media.writing import VideoFormat, write_video
from nodeforge.settings import Settings
from nodeforge.ui.application.app import window_store
from nodeforge.ui.common import theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow
from tests.support.processes import home_with_pack

FRAMES, RATE = 121, 24.0
JUMPS = 15
PATIENCE = 120.0


class Bench:
    """A window that shows one video, which its worker has."""

    def __init__(self, app: QApplication, settings: Settings, size: tuple[int, int]) -> None:
        self.app = app
        workspace = Workspace(settings, window_store(settings.home))
        theme.apply(app, workspace.theme)
        self.window = MainWindow(workspace)
        self.window.resize(1600, 1000)
        self.window.show()
        document = Document()
        values = {"frames": FRAMES, "rate": RATE, "sound": 5.0, "seconds": 0.1}
        values |= {"width": size[0], "height": size[1]}
        document.graph.nodes["clip"] = Node("clips.video", values)
        self.opened = OpenDocument(document, name="clip")
        workspace.add(self.opened)
        self.until(lambda: "clips.video" in workspace.catalogue)
        self.clip = self.window.viewer.clip
        self.window.runner.run(self.opened, ["clip"])
        self.until(lambda: not self.window.runner.busy and "clip" in self.opened.clips)

    def widen(self, width: int) -> None:
        """Give the viewer about that many pixels of width, in a window of its own."""
        dock = self.window.docks.all["viewer"]
        dock.setFloating(True)
        dock.resize(width, round(width * 0.8))
        self.rest(0.2)

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, "the window did not get there"
            self._turn()

    def rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn()

    def _turn(self) -> None:
        """One turn of the event loop; the worker gets the processor between two."""
        self.app.processEvents()
        time.sleep(0.0005)

    def open(self) -> float:
        """Open the clip anew; milliseconds until its first frame is there."""
        viewer = self.window.viewer
        viewer.clip.open(None)
        start = time.perf_counter()
        viewer.show_nodes(self.opened, ["clip"])
        self.until(lambda: self.clip.is_open and self.clip.player.cached > 0)
        return (time.perf_counter() - start) * 1000

    def seek(self, frame: int) -> float:
        """Milliseconds until a frame is painted."""
        view, start = self.window.viewer.picture_view, time.perf_counter()
        self.clip.transport.timeline.setValue(frame)
        self.until(lambda: self.clip.player._shown == frame)
        view.repaint()
        return (time.perf_counter() - start) * 1000

    def cold(self) -> list[float]:
        draw = random.Random(0)
        taken = []
        for _ in range(JUMPS):
            self.open()
            taken.append(self.seek(draw.randrange(40, FRAMES)))
        return taken

    def dragged(self) -> list[float]:
        self.open()
        return [self.seek(frame) for frame in range(1, FRAMES)]

    def played(self) -> dict[str, float]:
        """What was shown of the clip at its rate, with all its frames kept."""
        self.open()
        player = self.clip.player
        self.until(lambda: player.cached == FRAMES)
        player.loop = False
        player.seek(0)
        shown: list[float] = []
        player.frame_shown.connect(  # pyright: ignore[reportAttributeAccessIssue]
            lambda _: shown.append(time.perf_counter())
        )
        lag = Lag()
        lag.start()
        start = time.perf_counter()
        player.play()
        self.until(lambda: not player.playing)
        took = time.perf_counter() - start
        return {
            "played_frames_of_120": len(shown),
            "played_seconds_of_5": took,
            "lag_p99_playing_ms": lag.stop(),
        }


def _told(name: str, taken: list[float]) -> dict[str, float]:
    return {f"{name}_median_ms": statistics.median(taken), f"{name}_worst_ms": max(taken)}


def file_jumps(folder: Path, size: tuple[int, int]) -> list[float]:
    """Milliseconds of the first jump into a saved clip that was opened that moment."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    still = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    frames = np.stack([np.roll(still, 3 * index, 1) for index in range(FRAMES)]).astype(np.uint8)
    write_video(path := folder / "clip.mp4", frames, RATE, VideoFormat.MP4)
    draw, taken = random.Random(0), []
    for _ in range(JUMPS):
        reader = ClipReader(path)
        start = time.perf_counter()
        reader.frames(draw.randrange(40, FRAMES), 1, max(size))
        taken.append((time.perf_counter() - start) * 1000)
        reader.close()
    return taken


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--width", type=int, default=832)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--viewer", type=int, default=0, help="its width; 0 leaves it docked")
    arguments = parser.parse_args()
    app = QApplication([])
    size = arguments.width, arguments.height
    with tempfile.TemporaryDirectory() as home:
        os.environ["NODEFORGE_HOME"] = home
        settings = home_with_pack(Path(home), "clips")
        figures = _told("file", file_jumps(Path(home), size))
        for turn in ("", "disk_"):
            bench = Bench(app, settings, size)
            if arguments.viewer:
                bench.widen(arguments.viewer)
            figures[f"{turn}open_ms"] = bench.open()
            figures |= _told(f"{turn}cold", bench.cold())
            figures |= _told(f"{turn}dragged", bench.dragged())
            if not turn:
                figures |= bench.played()
            figures["shown_pixels"] = bench.window.viewer.picture_view.image.width()
            print(figures, flush=True)
            bench.opened.document.history.mark_saved()
            bench.window.close()
    tell(figures, arguments.json)


if __name__ == "__main__":
    main()
