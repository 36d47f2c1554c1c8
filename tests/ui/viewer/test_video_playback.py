"""Videos and sounds of results: from the worker's cache to the frames in the viewer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.window.main_window import MainWindow
from support.processes import ForkedWorker, home_with_pack

LONG = 240_000
"""Milliseconds; a busy machine takes a minute to import the worker's libraries."""


@pytest.fixture
def window(open_window, home) -> MainWindow:
    return open_window(ForkedWorker, home_with_pack(home, "clips"))


def opened_with(window: MainWindow, **nodes: Node) -> OpenDocument:
    document = Document()
    document.graph.nodes.update(nodes)
    opened = OpenDocument(document, name="clips")
    window.workspace.add(opened)
    return opened


def run(qtbot, window: MainWindow, opened: OpenDocument, *nodes: str) -> None:
    qtbot.waitUntil(lambda: "clips.video" in window.workspace.catalogue, timeout=LONG)
    window.runner.run(opened, list(nodes))
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=LONG)
    qtbot.waitUntil(lambda: all(node in opened.pictures for node in nodes), timeout=LONG)


def shown(window: MainWindow) -> int:
    """The number of the frame that is shown: its red."""
    return QImage(window.viewer.picture_view.image).pixelColor(0, 0).red()


def test_a_video_plays_from_the_cache_to_the_viewer(qtbot, window: MainWindow):
    video = Node("clips.video", {"frames": 30, "rate": 60.0, "sound": 0.4})
    opened = opened_with(
        window, clip=video, sound=Node("clips.sound"), picture=Node("clips.latent")
    )
    run(qtbot, window, opened, "clip", "sound", "picture")
    viewer, clip = window.viewer, window.viewer.clip
    viewer.show_nodes(opened, ["clip"])
    qtbot.waitUntil(lambda: clip.is_open and clip.player.cached == 30, timeout=LONG)
    assert not clip.isHidden()
    assert (clip.player.count, clip.player.facts.rate) == (30, 60.0)
    qtbot.waitUntil(lambda: shown(window) == 0)
    clip.player.seek(17)
    assert shown(window) == 17  # it is there already
    assert clip.transport.place.text() == "0:00.28 / 0:00.50   18/30"
    qtbot.waitUntil(lambda: not clip.waveform.image.isNull())
    clip.transport.loop.click()
    seen = set()
    clip.player.frame_shown.connect(lambda _: seen.add(shown(window)))
    viewer.picture_view.setFocus()
    qtbot.keyClick(viewer.picture_view, Qt.Key.Key_Space)
    assert clip.player.playing
    qtbot.waitUntil(lambda: not clip.player.playing, timeout=LONG)
    assert max(seen) == 29
    # another node: it stops, and a sound has its waveform and a position
    qtbot.keyClick(viewer.picture_view, Qt.Key.Key_Home)
    clip.transport.loop.click()
    clip.player.play()
    viewer.show_nodes(opened, ["sound"])
    assert not clip.player.playing
    qtbot.waitUntil(lambda: clip.is_open and clip.player.facts.sound == 1.0, timeout=LONG)
    assert clip.waveform.isHidden()
    assert viewer.picture_view.image.width() > viewer.picture_view.image.height()
    clip.player.seek(12)
    assert clip.transport.place.text() == "0:00.48 / 0:01.00"
    # a latent with a time axis moves, too
    viewer.show_nodes(opened, ["picture"])
    qtbot.waitUntil(lambda: clip.is_open and clip.player.count == 5, timeout=LONG)
    qtbot.waitUntil(lambda: clip.player.cached == 5, timeout=LONG)
    assert viewer.picture_view.size_shown.width() == 64
    # a run that sends previews of the whole clip: they move while it runs
    opened.document.graph.nodes["loop"] = Node("clips.denoise", {"steps": 6, "seconds": 0.3})
    viewer.show_nodes(opened, ["loop"])
    moving = set()
    opened.picture_changed.connect(
        lambda node: moving.add(
            opened.pictures[node].pixelColor(1, 1).red() if node == "loop" else 0
        )
    )
    run(qtbot, window, opened, "loop")
    assert len(moving) >= 4
    qtbot.waitUntil(lambda: clip.is_open and clip.player.count == 6, timeout=LONG)
    assert not window.runner.display.moving._timer.isActive()


def test_a_clip_that_the_worker_let_go_is_opened_again(qtbot, window: MainWindow):
    opened = opened_with(window, clip=Node("clips.video", {"width": 256, "seconds": 0.1}))
    run(qtbot, window, opened, "clip")
    viewer, clip = window.viewer, window.viewer.clip
    viewer.show_nodes(opened, ["clip"])
    qtbot.waitUntil(lambda: clip.is_open and clip.player.cached == 24, timeout=LONG)
    freed: list[object] = []
    window.runner.worker.ask("free", freed.append)
    qtbot.waitUntil(lambda: bool(freed), timeout=LONG)
    clip.player.seek(9)
    viewer.picture_view.zoom_to(40.0)  # asks for larger frames
    longest = clip.player._longest
    qtbot.waitUntil(lambda: clip.player._frames[9][1] == longest == 256, timeout=LONG)
    assert shown(window) == 9
