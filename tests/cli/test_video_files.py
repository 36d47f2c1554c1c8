"""Videos through the command line: cut, saved with their workflow, and opened as what made them."""

import json
from pathlib import Path

import pytest

from nodeforge.errors import RequestError
from nodeforge.formats import NoWorkflowError, read_any
from nodeforge.formats.comfyui import read_file
from nodeforge.media import (
    AudioFormat,
    MediaError,
    Sound,
    VideoFormat,
    read_media_text,
    read_video,
    save_audio,
    save_video,
)
from support.command_line import CommandLine
from support.media_files import numbered, numbers, tone, write

WORKFLOW = {
    "format": 3,
    "links": {
        "save.video": "speed.video",
        "speed.video": "trim.video",
        "trim.video": "load.video",
    },
    "nodes": {
        "load": {"type": "video.load", "values": {"file": "clip.mp4"}, "version": 1},
        "trim": {
            "type": "video.trim",
            "values": {"start": 4.0, "end": 12.0, "unit": "frames"},
            "version": 1,
        },
        "speed": {"type": "video.speed", "values": {"factor": 2.0}, "version": 1},
        "save": {"type": "video.save", "values": {"prefix": "fast"}, "version": 1},
    },
}


def test_a_video_is_cut_and_saved_with_its_workflow(tmp_path: Path, in_process):
    given = write(tmp_path / "own.mp4", numbered(12), sound=(tone(0.5), 44_100))
    (tmp_path / "cut.json").write_text(json.dumps(WORKFLOW))
    forge = CommandLine(tmp_path / "home")
    done = forge("run", tmp_path / "cut.json", "--set", f"load.file={given}")
    assert done.code == 0, done.err
    (saved,) = map(Path, done.out.split())
    assert saved.name == "fast_00001.mp4"
    read = read_video(saved)
    assert numbers(read.frames) == [5, 7, 9, 11]
    assert read.rate == 24
    assert read.sound is not None
    assert read.sound.seconds == pytest.approx(4 / 24, abs=0.03)
    inside = read_any(saved)
    assert inside.node("trim").values["end"] == 12.0
    assert inside.node("load").values["file"] == str(given)

    # The video that was saved is a workflow of its own; its source is given anew.
    again = in_process("run", saved, "--set", f"load.file={given}", "--set", "save.format=mkv")
    (second,) = map(Path, again.out.split())
    assert numbers(read_video(second).frames) == [5, 7, 9, 11]
    refused = in_process("run", saved)
    assert refused.code == 2
    assert "outside the folder for videos" in refused.err


TEXT = {"nodeforge": json.dumps(WORKFLOW)}


@pytest.mark.parametrize("format", list(VideoFormat))
def test_a_workflow_opens_from_every_kind_of_video(tmp_path: Path, format: VideoFormat):
    path, *_ = save_video(tmp_path, "a", numbered(3), 24.0, format, text=TEXT)
    assert set(read_any(path).graph.nodes) == {"load", "trim", "speed", "save"}


@pytest.mark.parametrize("format", AudioFormat)
def test_a_workflow_opens_from_every_kind_of_sound(tmp_path: Path, format: AudioFormat):
    path = save_audio(tmp_path, "a", Sound(tone(0.1), 44_100), format, text=TEXT)
    assert set(read_any(path).graph.nodes) == {"load", "trim", "speed", "save"}


def test_a_video_without_a_workflow_says_so(tmp_path: Path):
    path = write(tmp_path / "phone.mp4", numbered(2))
    with pytest.raises(NoWorkflowError, match="no NodeForge workflow") as caught:
        read_any(path)
    assert "encoder" not in str(caught.value)


def test_a_damaged_video_is_refused(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 24)
    with pytest.raises((RequestError, MediaError)):
        read_any(path)


GRAPH = {"1": {"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}}}


@pytest.mark.parametrize(
    ("texts", "suffix"),
    [
        ({"prompt": json.dumps(GRAPH)}, ".mp4"),  # ComfyUI's SaveVideo
        ({"prompt": json.dumps(GRAPH)}, ".webm"),  # its SaveWEBM
        ({"comment": json.dumps({"prompt": json.dumps(GRAPH)})}, ".mp4"),  # VideoHelperSuite
        ({"comment": json.dumps({"prompt": GRAPH})}, ".mp4"),  # an older one
    ],
)
def test_a_workflow_of_comfyui_is_read_from_a_video(tmp_path: Path, texts, suffix: str):
    kind = VideoFormat(suffix[1:])
    path, *_ = save_video(tmp_path, "comfy", numbered(2), 24.0, kind, text=texts)
    assert [node.class_type for node in read_file(path).nodes.values()] == ["LoadVideo"]
    with pytest.raises(NoWorkflowError) as caught:
        read_any(path)
    assert "nodeforge import" in caught.value.way_out
    assert "prompt" in read_media_text(path)
