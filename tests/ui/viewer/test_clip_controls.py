"""Keys, sound that is missing, files that play, previews that move (issue 20)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PySide6 import __version__ as version
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.engine.running.context import RunRequest
from nodeforge.settings import shipped
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.running.file_clips import open_file_clip
from nodeforge.ui.running.job_queue import Job
from nodeforge.ui.running.moving_previews import MovingPreviews
from nodeforge.ui.running.result_clips import ClipSource
from nodeforge.ui.viewer import LargeView
from nodeforge.ui.viewer.transport_bar import time_text
from support.clip_files import numbered, write_moving_picture, write_sound, write_video

HAS_MULTIMEDIA = importlib.util.find_spec("PySide6.QtMultimedia") is not None
LONG = 20_000


@pytest.fixture
def clip_file(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", numbered(12), sound=1.0)


@pytest.fixture
def playing(qtbot, window, clip_file: Path):
    """The viewer with a file that plays."""
    window.viewer.show_file(Picture.of_file(clip_file))
    clip = window.viewer.clip
    qtbot.waitUntil(lambda: clip.is_open and clip.player.cached == 12, timeout=LONG)
    return window.viewer


def shown(image: QImage) -> int:
    return round(image.pixelColor(2, 2).red() / 10)


KEYS = [
    ([Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left], 1),
    ([Qt.Key.Key_Period, Qt.Key.Key_Period, Qt.Key.Key_Comma], 1),
    ([Qt.Key.Key_End], 11),
    ([Qt.Key.Key_End, Qt.Key.Key_Home], 0),
    ([Qt.Key.Key_End, Qt.Key.Key_Right], 11),
    ([Qt.Key.Key_Left], 0),
]


def test_keys_go_frame_by_frame_wherever_the_viewer_has_the_focus(qtbot, playing):
    clip = playing.clip
    parts = [playing.picture_view, playing.save_button, playing, *clip.transport.controls]
    for part in parts:
        for keys, frame in KEYS:
            clip.player.seek(0)
            for key in keys:
                qtbot.keyClick(part, key)
            assert clip.player.position == frame, (part, keys)
            assert shown(playing.picture_view.image) == frame
    qtbot.keyClick(playing.picture_view, Qt.Key.Key_L)
    assert not clip.player.loop


def test_space_plays_and_stops_and_the_panel_that_is_hidden_stops(qtbot, playing, window):
    clip = playing.clip
    assert playing.picture is not None
    qtbot.keyClick(playing.picture_view, Qt.Key.Key_Space)
    assert clip.player.playing
    assert clip.transport.play.accessibleName() == "Pause"
    qtbot.keyClick(playing.picture_view, Qt.Key.Key_Space)
    assert not clip.player.playing
    clip.player.play()
    window.docks.all["viewer"].hide()
    assert not clip.player.playing


def test_space_stays_a_space_in_a_text_field(qtbot, playing, window):
    field = QLineEdit()
    holder = QWidget()
    QVBoxLayout(holder).addWidget(field)
    qtbot.addWidget(holder)
    playing.layout().addWidget(holder)  # even within the viewer
    qtbot.keyClicks(field, "a , b.")
    assert field.text() == "a , b."
    assert not playing.clip.player.playing
    holder.setParent(None)


def test_space_enlarges_a_picture_as_before(qtbot, window, tmp_path: Path):
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(0)
    image.save(str(tmp_path / "a.png"))
    window.viewer.show_file(Picture.of_file(tmp_path / "a.png"))
    assert window.viewer.clip.isHidden()
    with qtbot.waitSignal(window.viewer.command):
        qtbot.keyClick(window.viewer.picture_view, Qt.Key.Key_Space)


@pytest.mark.skipif(HAS_MULTIMEDIA, reason="sound can be played here")
def test_without_qtmultimedia_the_frames_play_and_one_line_says_what_sound_needs(qtbot, playing):
    bar = playing.clip.transport
    command = f"pip install PySide6-Addons=={version}"
    assert bar.notice.whole_text == f"Sound needs PySide6-Addons: {command}"
    assert not bar.copy.isHidden()
    bar.copy.click()
    assert QGuiApplication.clipboard().text() == command
    assert not bar.sound.isEnabled()
    playing.clip.player.play()
    assert playing.clip.player.playing


def test_a_video_without_sound_says_nothing_of_it(qtbot, window, tmp_path: Path):
    path = write_moving_picture(tmp_path / "a.gif")
    window.viewer.show_file(Picture.of_file(path))
    clip = window.viewer.clip
    qtbot.waitUntil(lambda: clip.is_open and clip.player.cached == 5, timeout=LONG)
    assert clip.transport.notice.whole_text == ""
    assert clip.transport.sound.isHidden()
    assert clip.waveform.isHidden()


@pytest.mark.parametrize("name", ["a.mp4", "a.wav", "a.webm"])
def test_a_damaged_file_says_why_and_the_next_one_plays(qtbot, window, clip_file, name):
    damaged = clip_file.with_name(name)
    damaged.write_bytes(b"nothing of use")
    viewer = window.viewer
    viewer.show_file(Picture.of_file(damaged))
    qtbot.waitUntil(
        lambda: "neither a video nor a sound" in viewer.picture_view._empty, timeout=LONG
    )
    assert viewer.clip.isHidden()
    viewer.show_file(Picture.of_file(clip_file))
    qtbot.waitUntil(lambda: viewer.clip.player.cached == 12, timeout=LONG)


def test_the_large_view_plays_and_its_arrows_go_through_the_pictures(qtbot, window, clip_file):
    other = write_moving_picture(clip_file.with_name("other.gif"))

    def open_clip(picture: Picture, use) -> None:
        open_file_clip(picture.path, use, window)

    pages = [Picture.of_file(clip_file), Picture.of_file(other)]
    large = LargeView(pages, 0, lambda picture, use: use(None), open_clip, window)
    qtbot.addWidget(large)
    large.show()
    qtbot.waitUntil(lambda: large.clip.player.cached == 12, timeout=LONG)
    qtbot.keyClick(large.view, Qt.Key.Key_Period)
    assert large.clip.player.position == 1
    qtbot.keyClick(large.view, Qt.Key.Key_Space)
    assert large.clip.player.playing
    assert large.isVisible()
    qtbot.keyClick(large.view, Qt.Key.Key_Right)
    assert large.picture.path == other
    assert not large.clip.player.playing
    qtbot.waitUntil(lambda: large.clip.player.cached == 5, timeout=LONG)
    qtbot.keyClick(large.view, Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.00"), (5.999, "0:06.00"), (61.5, "1:01.50"), (3723, "1:02:03.00"), (-1, "0:00.00")],
)
def test_times(seconds, text):
    assert time_text(seconds) == text


def test_the_gallery_lists_what_plays_with_thumbnail_and_length(qtbot, window, tmp_path: Path):
    written = [
        write_video(tmp_path / "a.mp4", numbered(20), sound=1.0),
        write_video(tmp_path / "a.webm", numbered(20), codec="libvpx-vp9"),
        write_moving_picture(tmp_path / "a.gif", milliseconds=400),
        write_moving_picture(tmp_path / "a.webp", milliseconds=400),
        write_moving_picture(tmp_path / "a.apng", milliseconds=400),
        write_sound(tmp_path / "a.opus", "libopus", seconds=2.0),
    ]
    for path in written:
        window.gallery.add(Job("document", "mine", {}, RunRequest("run"), {}), str(path))
    listed = window.results.find()
    assert [(each.path, each.seconds) for each in listed] == [(p, 0) for p in reversed(written)]
    qtbot.waitUntil(lambda: all(each.seconds for each in window.results.find()), timeout=LONG)
    for result in window.results.find():
        assert result.seconds == pytest.approx(2.0, abs=0.15), result.path
        assert not QImage.fromData(result.thumbnail).isNull()
    window.gallery.list.select_row(0)
    urls = window.gallery.list.mime_data().urls()
    assert [url.toLocalFile() for url in urls] == [str(written[-1])]


def test_a_damaged_video_stays_listed(qtbot, window, tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"nothing of use")
    window.gallery.add(Job("document", "mine", {}, RunRequest("run"), {}), str(path))
    qtbot.wait(50)
    assert [each.path for each in window.results.find()] == [path]


def preview(step: int, frames: int = 4, green: int = 0) -> events.Preview:
    """Frames whose red is their number."""
    pixels = np.zeros((frames, 2, 2, 3), np.uint8)
    pixels[..., 0] = np.arange(frames)[:, None, None]
    pixels[..., 1] = green
    return events.Preview("run", "denoise", step, 2, 2, pixels.tobytes(), frames, 10.0)


def test_previews_of_a_video_move_where_the_node_s_picture_is(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened, viewer = window.workspace.current, window.viewer
    display = window.runner.display
    now = [0.05]
    display.moving = MovingPreviews(lambda: now[0])
    display.show(opened, events.Started("run", "denoise"), None)
    display.show(opened, preview(1), None)

    def colour(image: QImage) -> tuple[int, int]:
        return image.pixelColor(1, 1).red(), image.pixelColor(1, 1).green()

    assert colour(opened.pictures["denoise"]) == (0, 0)
    seen = []
    for time in (0.15, 0.25):
        now[0] = time
        display.moving.show_due()
        seen.append(colour(opened.pictures["denoise"]))
        assert colour(viewer.picture_view.image) == seen[-1]
    assert seen == [(1, 0), (2, 0)]
    # the next preview goes on where this one was
    display.show(opened, preview(2, green=9), None)
    assert colour(opened.pictures["denoise"]) == (2, 9)
    assert colour(viewer.picture_view.image) == (2, 9)
    display.show(opened, events.Finished("run", "denoise", Source.COMPUTED, 1.0, 8), None)
    now[0] = 0.35
    display.moving.show_due()
    assert colour(opened.pictures["denoise"]) == (2, 9)
    assert not display.moving._timer.isActive()


@pytest.mark.parametrize("last", [events.RunCancelled("run"), events.WorkerDied("run", 1, "")])
def test_a_run_that_ends_early_leaves_its_preview_standing(qtbot, window, last):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened, display = window.workspace.current, window.runner.display
    display.show(opened, preview(1), None)
    assert display.moving._timer.isActive()
    display.show(opened, last, None)
    assert not display.moving._timer.isActive()


def test_a_preview_of_a_video_crosses_the_protocol():
    assert events.from_frame(events.to_frame(preview(3))) == preview(3)


def test_a_file_clip_is_a_source(qtbot, window, clip_file):
    found: list[ClipSource | None] = []
    assert open_file_clip(clip_file, found.append, window)
    assert not open_file_clip(clip_file.with_suffix(".png"), found.append, window)
    qtbot.waitUntil(lambda: bool(found), timeout=LONG)
    (clip,) = found
    sounds = []
    clip.request_sound(sounds.append)
    qtbot.waitUntil(lambda: bool(sounds), timeout=LONG)
    assert (sounds[0].rate, sounds[0].channels) == (8000, 1)
    clip.close()


@pytest.mark.parametrize("typed", ["copy.mp4", "copy"])
def test_a_video_is_saved_elsewhere_as_the_file_it_is(
    qtbot, window, clip_file, tmp_path: Path, monkeypatch, typed
):
    asked = []

    def dialog(parent, title, wish, files):
        asked.append(files)
        return str(tmp_path / "elsewhere" / typed), ""

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getSaveFileName", dialog)
    window.pictures.save_as([Picture.of_file(clip_file)])
    target = tmp_path / "elsewhere" / "copy.mp4"
    qtbot.waitUntil(target.exists, timeout=LONG)
    qtbot.waitUntil(lambda: target.stat().st_size == clip_file.stat().st_size, timeout=LONG)
    assert asked == ["MP4 (*.mp4)"]
    window.pictures.copy([Picture.of_file(clip_file)])

    def on_clipboard() -> list[str]:
        data = QGuiApplication.clipboard().mimeData()
        return [url.toLocalFile() for url in data.urls()] if data else []

    qtbot.waitUntil(lambda: on_clipboard() == [str(clip_file)], timeout=LONG)
