"""Files that are damaged, cut off or something else: each is refused, and said why."""

import contextlib
import math
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nodeforge.media import (
    CutOffError,
    MediaError,
    MissingStreamError,
    Selection,
    probe_audio,
    probe_video,
    read_audio,
    read_frame,
    read_media_text,
    read_video,
)
from support.media_files import numbered, tone, wav, write

EVERY_READER = [probe_video, read_video, read_frame, probe_audio, read_audio, read_media_text]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole files, to be damaged: the MP4s with their index before and behind the frames."""
    made = tmp_path_factory.mktemp("whole")
    frames, sound = numbered(12).repeat(4, axis=0), (tone(2.0), 44_100)
    write(made / "index_first.mp4", frames, muxer_options={"movflags": "faststart"}, sound=sound)
    write(made / "index_last.mp4", frames, sound=sound)
    write(made / "video.mkv", frames, sound=sound)
    options = {"crf": "20", "b": "0"}
    write(made / "video.webm", numbered(12), codec="libvpx-vp9", options=options)
    write(made / "video.avi", frames, codec="mpeg4", options={})
    write(made / "silent.mp4", numbered(4))
    wav(made / "sound.wav", (tone(1.0, channels=1)[0] * 32767).astype("<i2").tobytes())
    return made


def cut(path: Path, share: float, to: Path) -> Path:
    data = path.read_bytes()
    made = to / f"cut{path.suffix}"
    made.write_bytes(data[: int(len(data) * share)])
    return made


SOMETHING_ELSE = {
    "empty": (b"", "0 bytes"),
    "text": (b"this is a text\n" * 99, "neither"),
    "json": (b'{"a": 1}', "JSON"),
    "web page": (b"<!doctype html><html></html>", "web page"),
    "zip": (b"PK\3\4" + b"\0" * 99, "zip"),
    "zeros": (b"\0" * 4096, "neither"),
    "playlist": (b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n", "neither"),
    "concat script": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "neither"),
    "start of an MP4": (b"\0\0\0\x20ftypisom" + b"\0" * 24, "index"),
    "start of a Matroska": (b"\x1a\x45\xdf\xa3" + b"\0" * 99, "Matroska"),
    "start of a WAV": (b"RIFF\0\0\0\0WAVE", "WAV"),
    "one byte": (b"\0", "neither"),
}


@pytest.mark.parametrize("kind", SOMETHING_ELSE)
def test_what_is_no_video_is_called_what_it_is(tmp_path: Path, kind: str):
    content, said = SOMETHING_ELSE[kind]
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    for read in (probe_video, read_video, probe_audio, read_audio):
        with pytest.raises(MediaError, match=f"(?i){said}") as caught:
            read(path)
        assert "a.mp4" in str(caught.value)
        assert caught.value.way_out


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_a_picture_is_no_video(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (8, 8)).save(path)
    with pytest.raises(MediaError) as caught:
        read_video(path)
    if suffix != ".bmp":
        assert "Load image" in caught.value.way_out


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_still_gif_or_webp_is_a_video_of_one_frame(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (8, 8), (200, 0, 0)).save(path)
    assert read_video(path).frames.shape == (1, 8, 8, 3)


def test_a_folder_and_a_missing_file_are_said(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.mp4"):
        for read in EVERY_READER:
            with pytest.raises(MediaError, match="cannot be read"):
                read(path)


def test_sound_is_no_video_and_a_silent_video_no_sound(folder: Path):
    with pytest.raises(MissingStreamError, match="only sound") as caught:
        read_video(folder / "sound.wav")
    assert "Load audio" in caught.value.way_out
    with pytest.raises(MissingStreamError, match="no sound"):
        read_audio(folder / "silent.mp4")
    assert read_audio(folder / "index_last.mp4").rate == 44_100
    assert read_video(folder / "silent.mp4").sound is None


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.8, 0.95])
@pytest.mark.parametrize("name", ["index_first.mp4", "video.mkv", "video.avi"])
def test_a_file_that_was_cut_off_says_how_much_is_there(
    folder: Path, tmp_path: Path, name: str, share: float
):
    path = cut(folder / name, share, tmp_path)
    error = refusal(path)
    if error is None:
        assert share > 0.9
        return
    assert "cut off" in error.fact or "damaged" in error.fact
    if not isinstance(error, CutOffError):
        assert share == 0.1 or name == "video.avi"  # not even a first frame
        return
    assert "end" in error.way_out
    assert 0 < error.seconds < 2.1
    part = read_video(path, Selection(end=math.floor(error.seconds * 24) / 24))
    assert len(part.frames) == pytest.approx(error.seconds * 24, abs=1)


def refusal(path: Path) -> MediaError | None:
    try:
        read_video(path)
    except MediaError as error:
        return error
    return None


@pytest.mark.parametrize("missing", [1, 200, 2000])
def test_an_mp4_without_its_index_says_so(folder: Path, tmp_path: Path, missing: int):
    path = tmp_path / "a.mp4"
    path.write_bytes((folder / "index_last.mp4").read_bytes()[:-missing])
    for read in (probe_video, read_video, read_audio):
        with pytest.raises(MediaError, match="index"):
            read(path)


@pytest.mark.parametrize("name", ["index_first.mp4", "video.mkv", "video.webm", "video.avi"])
def test_damaged_bytes_raise_nothing_but_our_errors(folder: Path, tmp_path: Path, name: str):
    whole = (folder / name).read_bytes()
    for seed in range(12):
        random = np.random.default_rng(seed)
        data = bytearray(whole)
        for at in random.integers(0, len(data), 20 if seed % 2 else 3):
            data[at] = random.integers(0, 256)
        path = tmp_path / f"{seed}{Path(name).suffix}"
        path.write_bytes(data)
        for read in EVERY_READER:
            with contextlib.suppress(MediaError):
                read(path)


NONSENSE = {
    "rate 0": {"rate": 0},
    "rate 1": {"rate": 1},
    "rate of a billion": {"rate": 1_000_000_000},
    "no channels": {"channels": 0},
    "0 bits": {"bits": 0},
    "unknown codec": {"format": 0x7777},
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_header_of_nonsense_is_refused(tmp_path: Path, kind: str):
    path = wav(tmp_path / "a.wav", b"\1\2" * 400, **NONSENSE[kind])
    for read in (probe_audio, read_audio):
        with pytest.raises(MediaError) as caught:
            read(path)
        assert caught.value.way_out


def test_sound_without_samples_is_refused(tmp_path: Path):
    with pytest.raises(MediaError, match="holds no samples"):
        read_audio(wav(tmp_path / "a.wav", b""))


def test_a_video_whose_sound_has_no_samples_has_none(tmp_path: Path):
    path = write(tmp_path / "a.mkv", numbered(3), sound=(tone(0.0), 44_100))
    assert read_video(path).sound is None


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_sound_that_was_cut_off_says_how_much_is_there(folder: Path, tmp_path: Path, share: float):
    path = cut(folder / "sound.wav", share, tmp_path)
    sound = read_audio(path, end=share - 0.05)
    assert sound.seconds == pytest.approx(share - 0.05, abs=0.01)


def test_an_mp4_says_a_size_of_nonsense(folder: Path, tmp_path: Path):
    data = bytearray((folder / "index_first.mp4").read_bytes())
    at = data.index(b"avc1") + 4 + 24
    data[at : at + 4] = struct.pack(">HH", 0, 0)
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert read_video(path).frames.shape[1:3] == (48, 64)  # the codec's own is taken
