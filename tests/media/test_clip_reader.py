"""Saved videos and sounds as the window plays them (issue 20): any frame, and bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nodeforge.media.clip_reader import ClipReader
from nodeforge.media.errors import MediaError
from nodeforge.media.writing import VideoFormat
from nodeforge.media.writing import write_video as write_ours
from support.clip_files import numbered, write_moving_picture, write_sound, write_video


def number(frame: np.ndarray) -> int:
    """Which frame it is, by its grey."""
    return round(float(frame.mean()) / 10)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mov", "mpeg4")],
)
def test_any_frame_of_a_video_is_found_in_any_order(tmp_path: Path, name: str, codec: str):
    reader = ClipReader(write_video(tmp_path / name, numbered(24), codec=codec))
    assert (reader.facts.frames, reader.facts.rate) == (24, 10)
    assert (reader.facts.width, reader.facts.height) == (64, 48)
    for index in (0, 5, 4, 23, 0, 11, 12, 2):
        assert number(reader.frames(index, 1, 64)[0]) == index, index
    assert [number(frame) for frame in reader.frames(20, 9, 32)] == [20, 21, 22, 23]
    assert reader.frames(20, 9, 32).shape[1:] == (24, 32, 3)
    reader.close()


def walled(count: int) -> np.ndarray:
    """Frames with a wall of white that grows by a row each."""
    frames = np.full((count, 128, 64, 3), 20, np.uint8)
    for index, frame in enumerate(frames):
        frame[:index] = 235
    return frames


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "ffv1")])
def test_a_jump_reads_no_more_than_from_the_last_key_frame(tmp_path: Path, name: str, codec: str):
    """Frames that no other is made from are left out on the way, and none that is shown."""
    path = write_video(tmp_path / name, walled(121), codec=codec)
    for index in (120, 47, 60, 99):
        reader = ClipReader(path)
        for at in (index, index + 1, 3):
            shown = reader.frames(min(at, 120), 1, 128)[0, :, :, 0]
            assert round(float((shown > 128).mean(1).sum())) == min(at, 120)
        reader.close()


def test_videos_of_ours_have_a_key_frame_every_24(tmp_path: Path):
    for format in (VideoFormat.MP4, VideoFormat.WEBM):
        path = tmp_path / f"a{format.suffix}"
        write_ours(path, walled(60), 24.0, format)
        reader = ClipReader(path)
        assert reader._keys == pytest.approx([0, 24, 48], abs=1)
        reader.close()


def test_of_a_variable_rate_the_frame_that_is_due_is_shown(tmp_path: Path):
    times = [0, 1, 5, 6, 9]
    reader = ClipReader(write_video(tmp_path / "a.mkv", numbered(5), times=times))
    rate, count = reader.facts.rate, reader.facts.frames
    shown = [number(frame) for frame in reader.frames(0, count, 64)]
    due = [sum(t <= round(index / rate * 10) for t in times) - 1 for index in range(count)]
    assert shown == due


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp", ".png"])
def test_moving_pictures(tmp_path: Path, suffix: str):
    reader = ClipReader(write_moving_picture(tmp_path / f"a{suffix}"))
    assert (reader.facts.frames, reader.facts.rate, reader.facts.seconds) == (5, 5, 1)
    assert [number(frame) for frame in reader.frames(0, 5, 64)] == [0, 1, 2, 3, 4]
    assert number(reader.frames(1, 1, 16)[0]) == 1


@pytest.mark.parametrize(
    ("name", "codec", "channels"),
    [
        ("a.wav", "pcm_s16le", 1),
        ("a.flac", "flac", 2),
        ("a.opus", "libopus", 2),
        ("a.m4a", "aac", 1),
    ],
)
def test_sounds(tmp_path: Path, name: str, codec: str, channels: int):
    path = tmp_path / name
    if codec in ("pcm_s16le", "flac"):
        import soundfile

        soundfile.write(path, np.sin(np.arange(24000) / 20)[:, None].repeat(channels, 1) / 2, 48000)
    else:
        write_sound(path, codec, channels=channels)
    reader = ClipReader(path)
    assert reader.facts.frames == 0
    assert reader.facts.sound == pytest.approx(0.5, abs=0.05)
    samples, rate = reader.sound()
    assert (samples.dtype, samples.shape[1], rate) == (np.int16, channels, 48000)
    assert abs(int(samples.max()) - 16384) < 2500
    assert reader.waveform(100, 20)[..., 3].any()


def test_the_sound_of_a_video(tmp_path: Path):
    reader = ClipReader(write_video(tmp_path / "a.mp4", numbered(10), sound=1.0))
    assert reader.facts.sound == pytest.approx(1.0, abs=0.2)
    assert len(reader.sound()[0]) > 7000
    assert number(reader.frames(3, 1, 64)[0]) == 3


@pytest.mark.parametrize("size", [(64, 48), (66, 50), (320, 180)])
@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_rotated_phone_video_is_upright(tmp_path: Path, size: tuple[int, int], turned: int):
    """The upper left quarter is white once it has been turned."""
    width, height = size
    upright = np.zeros((4, height, width, 3), np.uint8)
    upright[:, : height // 2, : width // 2] = 255
    stored = np.ascontiguousarray(np.rot90(upright, -turned // 90, (1, 2)))
    path = write_video(tmp_path / "a.mp4", stored)
    data = bytearray(path.read_bytes())
    rotate_track(data, turned)
    path.write_bytes(data)
    reader = ClipReader(path)
    assert (reader.facts.width, reader.facts.height) == size
    frame = reader.frames(2, 1, 4096)[0]
    assert frame[: height // 3, : width // 3].mean() > 200
    assert frame[2 * height // 3 :].mean() < 60


def rotate_track(data: bytearray, turned: int) -> None:
    """Set the display matrix in an MP4's track header, as phones do."""
    one = 1 << 16
    cos = {90: 0, 180: -one, 270: 0}[turned]
    sin = {90: -one, 180: 0, 270: one}[turned]  # counterclockwise
    header = data.index(b"tkhd")
    matrix = header + 4 + 40
    for place, value in ((0, cos), (4, sin), (12, -sin), (16, cos)):
        data[matrix + place : matrix + place + 4] = value.to_bytes(4, "big", signed=True)


@pytest.mark.parametrize(
    "content", [b"", b"not a video at all", b"\0" * 4096, b"RIFF\x24\0\0\0WAVEfmt "]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.gif", "a.webp", "a.wav", "a.flac"])
def test_damaged_files_are_refused_with_their_name(tmp_path: Path, name: str, content: bytes):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError) as caught:
        ClipReader(path)
    assert caught.value.place == str(path)


def test_a_video_that_is_cut_off_is_refused_or_read_as_far_as_it_goes(tmp_path: Path):
    whole = write_video(tmp_path / "a.mp4", numbered(24))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:600])
    with pytest.raises(MediaError):
        ClipReader(cut)
    noise = np.random.default_rng(0).integers(0, 256, (120, 48, 64, 3), np.uint8)
    noise[:, :8] = 0
    stream = write_video(tmp_path / "a.mkv", noise)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(stream.read_bytes()[: stream.stat().st_size * 2 // 3])
    reader = ClipReader(cut)
    assert reader.frames(0, 1, 64)[0, :4].max() < 40
    assert reader.facts.frames == 120  # as it says
    assert reader.frames(119, 1, 64)[0, :4].max() < 40  # the last that is there


def test_a_still_picture_does_not_play(tmp_path: Path):
    with pytest.raises(MediaError, match="one picture"):
        ClipReader(write_moving_picture(tmp_path / "a.gif", count=1))
