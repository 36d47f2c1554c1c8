"""Videos and sounds in the window: chosen, dropped, opened as what made them, and in small."""

import json
from pathlib import Path

import pytest

from nodeforge.media import Sound, VideoFormat, save_video
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.fields.file_field import FileField
from support.media_files import numbered, tone, wav, write

WORKFLOW = {"format": 3, "nodes": {"words": {"type": "values.text", "version": 1}}, "links": {}}


def test_a_video_that_is_chosen_is_granted_and_read_in_place(window, tmp_path: Path):
    path = write(tmp_path / "clip.mp4", numbered(2))
    window.workspace.new()
    for kind in ("video", "audio"):
        field = FileField(window.workspace, kind)
        taken = []
        field.edited.connect(lambda value, edits, to=taken: to.append((value, edits)))
        field.take(path)
        assert taken == [(str(path), [])]
        assert str(path) in window.workspace.current.granted
        field.show_value("")
        called = {"video": "video", "audio": "sound file"}[kind]
        assert field.editor().text() == f"Choose or drop a {called}…"


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_file_that_is_dropped_is_loaded(window, qtbot, tmp_path: Path, kind: str):
    if kind == "video":
        path = write(tmp_path / "clip.mp4", numbered(2))
    else:
        path = wav(tmp_path / "sound.wav", b"\1\0" * 400)
    window.workspace.new()
    viewport = window.area.view.session.viewer.viewport()
    use = window.pictures.dropped_there(viewport.mapToGlobal(viewport.rect().center()))
    window.files.open(path, use)
    nodes = window.workspace.current.document.graph.nodes
    qtbot.waitUntil(lambda: bool(nodes))
    (node,) = nodes.values()
    assert (node.type, node.values) == (f"{kind}.load", {"file": str(path)})
    assert str(path) in window.workspace.current.granted


def test_a_saved_video_opens_as_what_made_it(window, qtbot, tmp_path: Path):
    text = {"nodeforge": json.dumps(WORKFLOW)}
    sound = Sound(tone(0.1), 44_100)
    path, *_ = save_video(tmp_path, "a", numbered(2), 24.0, VideoFormat.MP4, sound, text)
    window.files.open(path)
    qtbot.waitUntil(lambda: window.workspace.current is not None)
    qtbot.waitUntil(lambda: "words" in window.workspace.current.document.graph.nodes)


@pytest.mark.parametrize("format", list(VideoFormat))
def test_a_video_has_a_small_picture(tmp_path: Path, format: VideoFormat):
    path, *_ = save_video(tmp_path, "a", numbered(2), 24.0, format)
    image = read_scaled(path, 32)
    assert (image.width(), image.height()) == (32, 24)
    assert image.pixelColor(4, 4).red() > 180


def test_a_damaged_video_has_none(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    assert read_scaled(tmp_path / "a.mp4", 32).isNull()
