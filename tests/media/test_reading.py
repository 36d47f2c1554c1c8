"""Videos from files: what other programs write is read as it is meant."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from nodeforge.media import (
    ClipTooLargeError,
    RangeError,
    Selection,
    TimeUnit,
    probe_video,
    read_frame,
    read_video,
)
from support.media_files import numbered, numbers, tone, turned, write

COUNT = 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 numbered frames at 24 a second, with a second of sound."""
    folder = tmp_path_factory.mktemp("clips")
    return write(folder / "clip.mp4", numbered(COUNT), sound=(tone(0.5), 44_100))


def test_a_whole_video_is_read_with_its_sound(clip: Path):
    read = read_video(clip)
    assert read.frames.shape == (COUNT, 48, 64, 3)
    assert read.frames.dtype == np.uint8
    assert read.rate == 24
    assert numbers(read.frames) == list(range(COUNT))
    assert read.sound is not None
    assert read.sound.samples.shape == (2, 22_050)
    assert read.remarks == ()


def test_what_a_video_is_is_told_without_reading_it_all(clip: Path):
    told = probe_video(clip)
    assert (told.width, told.height, told.count, told.rate) == (64, 48, COUNT, 24)
    assert (told.codec, told.bits, told.rotation, told.hdr) == ("h264", 8, 0, "")
    assert told.audio is not None
    assert (told.audio.codec, told.audio.rate, told.audio.channels) == ("aac", 44_100, 2)


@pytest.mark.parametrize(
    ("selection", "taken", "rate"),
    [
        (Selection(start=0.25), [6, 7, 8, 9, 10, 11], 24),
        (Selection(end=0.25), [0, 1, 2, 3, 4, 5], 24),
        (Selection(start=3, end=6, unit=TimeUnit.FRAMES), [3, 4, 5], 24),
        (Selection(every=3), [0, 3, 6, 9], 8),
        (Selection(most=2), [0, 1], 24),
        (Selection(rate=12), [0, 2, 4, 6, 8, 10], 12),
        (Selection(rate=48, most=6), [0, 0, 1, 1, 2, 2], 48),
        (Selection(start=4, unit=TimeUnit.FRAMES, every=4), [4, 8], 6),
        (Selection(start=11, unit=TimeUnit.FRAMES), [11], 24),
        (Selection(end=99), list(range(COUNT)), 24),
    ],
    ids=str,
)
def test_a_range_is_read(clip: Path, selection: Selection, taken: list[int], rate: float):
    read = read_video(clip, selection)
    near = [round(number) for number in numbers(read.frames)]
    offset = 1 if selection.rate == 12 or selection.every > 1 else 0  # the middle of two or more
    assert all(0 <= got - want <= offset for got, want in zip(near, taken, strict=True))
    assert read.rate == pytest.approx(rate)


def test_sound_goes_with_the_range(clip: Path):
    read = read_video(clip, Selection(start=0.125, end=0.375))
    assert read.sound is not None
    assert read.sound.seconds == pytest.approx(0.25, abs=0.001)


def test_a_size_is_kept_in_proportion(clip: Path):
    assert read_video(clip, Selection(width=32)).frames.shape[1:3] == (24, 32)
    assert read_video(clip, Selection(height=96)).frames.shape[1:3] == (96, 128)
    assert read_video(clip, Selection(width=20, height=30)).frames.shape[1:3] == (30, 20)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(start=0.6),
        Selection(start=12, unit=TimeUnit.FRAMES),
        Selection(start=0.3, end=0.2),
        Selection(start=-1),
        Selection(rate=2000),
        Selection(rate=float("nan")),
    ],
    ids=str,
)
def test_a_range_that_is_none_is_refused(clip: Path, selection: Selection):
    with pytest.raises(RangeError) as caught:
        read_video(clip, selection)
    assert caught.value.way_out


def test_a_video_too_long_is_refused_whole_and_a_range_offered(tmp_path: Path):
    """Two hours at one frame in ten minutes: the header says it, and only that is looked at."""
    frames = numbered(13, 320, 240)
    long = write(
        tmp_path / "long.mkv", frames, times=[600_000 * each for each in range(13)], rate=1
    )
    with pytest.raises(ClipTooLargeError) as caught:
        read_video(long, Selection(rate=24))
    assert "172,800 frames" in caught.value.fact or "frames of 320 × 240" in caught.value.fact
    assert "at most" in caught.value.way_out
    part = read_video(long, Selection(start=1200, end=1202, rate=24))
    assert len(part.frames) == 48
    assert set(numbers(part.frames)) == {2}


def test_the_limit_counts_before_anything_is_decoded(clip: Path):
    size = 48 * 64 * 3
    with pytest.raises(ClipTooLargeError, match="12 frames"):
        read_video(clip, most_bytes=11 * size)
    assert len(read_video(clip, most_bytes=12 * size).frames) == 12
    assert len(read_video(clip, Selection(most=11), most_bytes=11 * size).frames) == 11


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_uneven_times_become_even_ones(tmp_path: Path, suffix: str):
    times = [0, 40, 80, 200, 240, 280, 400, 440, 480, 520, 560, 800]
    read = read_video(write(tmp_path / f"phone{suffix}", numbered(), rate=25, times=times))
    assert read.rate == 25
    assert numbers(read.frames)[:10] == [0, 1, 2, 2, 2, 3, 4, 5, 5, 5]
    assert len(read.frames) == 21
    assert "unevenly" in read.remarks[0]


@pytest.mark.parametrize("rate", [23.976, 29.97, 10, 12.5, 60])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_rate_is_what_it_was(tmp_path: Path, suffix: str, rate: float):
    given = {23.976: "24000/1001", 29.97: "30000/1001"}.get(rate, rate)
    read = read_video(write(tmp_path / f"a{suffix}", numbered(7), rate=given))
    assert read.rate == pytest.approx(rate, rel=1e-4)
    assert numbers(read.frames) == list(range(7))
    assert read.remarks == ()


def test_frames_that_begin_late_are_the_first_ones(tmp_path: Path):
    times = [500 + 40 * each for each in range(12)]
    sound = (tone(1.0), 44_100)
    read = read_video(write(tmp_path / "late.mkv", numbered(), rate=25, times=times, sound=sound))
    assert numbers(read.frames) == list(range(12))
    assert read.sound is not None
    assert read.sound.seconds == pytest.approx(0.48, abs=0.03)


QUARTERS = {  # display matrix, where the box at the top left of the stored frame is then
    "a quarter clockwise": ((0, 1, -1, 0), 90, "top right"),
    "half": ((-1, 0, 0, -1), 180, "bottom right"),
    "three quarters": ((0, -1, 1, 0), 270, "bottom left"),
    "flipped": ((-1, 0, 0, 1), 0, "top right"),
    "upside down": ((1, 0, 0, -1), 0, "bottom left"),
    "transposed": ((0, 1, 1, 0), 90, "top left"),
}


@pytest.mark.parametrize("turn", QUARTERS)
def test_a_turned_phone_video_is_upright(tmp_path: Path, turn: str):
    matrix, degrees, where = QUARTERS[turn]
    path = turned(write(tmp_path / "phone.mp4", numbered()), matrix)
    frame = read_video(path).frames[3].astype(int)
    assert frame.shape[:2] == ((64, 48) if degrees in (90, 270) else (48, 64))
    height, width = frame.shape[:2]
    corners = {
        "top left": frame[4, 4],
        "top right": frame[4, width - 5],
        "bottom left": frame[height - 5, 4],
        "bottom right": frame[height - 5, width - 5],
    }
    assert [name for name, c in corners.items() if c[0] - c[1] > 100] == [where]
    told = probe_video(path)
    assert (told.width, told.height) == (width, height)


def test_ten_bits_of_hdr_are_read_as_they_are_and_said(tmp_path: Path):
    tags = {"colorspace": 9, "color_trc": 16, "color_primaries": 9}
    quiet = {"x265-params": "log-level=none:crf=4"}
    path = tmp_path / "hdr.mp4"
    write(path, numbered(), codec="libx265", pix_fmt="yuv420p10le", tags=tags, options=quiet)
    read = read_video(path)
    assert read.facts.bits == 10
    assert read.facts.hdr == "PQ"
    assert "HDR" in read.remarks[0]
    assert numbers(read.frames) == list(range(12))


COLOURS = [(200, 40, 30), (20, 180, 60), (40, 60, 220), (128, 128, 128), (250, 250, 10)]
KINDS = {  # size, tags, matrix that a player would take
    "480 lines, no tag": ((854, 480), {}, Colorspace.ITU601),
    "1080 lines, tag": ((1920, 1080), {"colorspace": 1}, Colorspace.ITU709),
    "480 lines, tag of HD": ((640, 480), {"colorspace": 1}, Colorspace.ITU709),
    "full range": ((640, 480), {"color_range": ColorRange.JPEG}, Colorspace.ITU601),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_colour_is_what_it_was(tmp_path: Path, kind: str):
    (width, height), tags, _ = KINDS[kind]
    frames = np.zeros((len(COLOURS), height, width, 3), np.uint8) + np.array(
        COLOURS, np.uint8
    ).reshape(-1, 1, 1, 3)
    read = read_video(write(tmp_path / "flat.mp4", frames, tags=tags))
    means = read.frames.reshape(len(COLOURS), -1, 3).mean(1)
    assert np.abs(means - COLOURS).max() <= 2


def test_pixels_that_are_not_square_are_shown_as_they_should_be(tmp_path: Path):
    path = write(tmp_path / "dv.mp4", numbered(3), options={"crf": "1", "aspect": "1"})
    assert probe_video(path).width == 64
    wide = write(tmp_path / "wide.mp4", numbered(3), tags={"sample_aspect_ratio": Fraction(2)})
    assert read_video(wide).frames.shape[1:3] == (48, 128)


@pytest.mark.parametrize(("width", "height"), [(63, 47), (1, 1), (2, 3), (65, 48)])
def test_odd_sizes_are_read(tmp_path: Path, width: int, height: int):
    path = tmp_path / "odd.mkv"
    write(path, numbered(5, width, height), codec="ffv1", pix_fmt="bgr0", options={})
    assert np.array_equal(read_video(path).frames, numbered(5, width, height))


def test_a_seek_into_the_middle_gives_the_right_frames(tmp_path: Path):
    """B frames and few key frames: packets are stored in another order than shown."""
    frames = np.repeat(numbered(12), 12, axis=0)
    options = {"crf": "4", "g": "50", "bf": "3"}
    path = write(tmp_path / "long.mp4", frames, options=options, sound=(tone(6.0), 44_100))
    whole = read_video(path).frames
    for start in (1, 30, 49, 50, 51, 72, 100, 143):
        part = read_video(path, Selection(start=start, unit=TimeUnit.FRAMES, most=3)).frames
        assert np.array_equal(part, whole[start : start + 3]), start


def test_one_frame_is_read_for_a_thumbnail(clip: Path):
    assert read_frame(clip).shape == (48, 64, 3)
    small = read_frame(clip, 0.25, longest=32)
    assert small.shape == (24, 32, 3)
    assert numbers(small[None]) == [6]
