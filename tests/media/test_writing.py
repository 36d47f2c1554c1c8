"""Videos into files: what is read back is what was written, with the workflow inside."""

import json
import weakref
from pathlib import Path

import av
import numpy as np
import pytest

from nodeforge.imaging import SaveError, write_new
from nodeforge.media import (
    MediaError,
    Sound,
    VideoFormat,
    animated_webp,
    read_media_text,
    read_video,
    save_video,
    write_video,
)
from support.media_files import numbered, numbers, tone

FILES = [each for each in VideoFormat if each is not VideoFormat.SEQUENCE]
LOSSLESS = (VideoFormat.MKV, VideoFormat.APNG)
TEXT = {
    "nodeforge": json.dumps({"format": 1, "title": "Füchse 狐 \N{FOX FACE}", "long": "x" * 3000}),
    "parameters": "a fox\nNegative prompt: blur\nSteps: 3, Seed: 7",
    "nodeforge_copy": '{"a": {"b": 1}}',
}


def noise(count=8, width=64, height=48, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def written(folder: Path, frames, format: VideoFormat, rate=24.0, **given) -> Path:
    path = folder / f"clip{format.suffix}"
    write_video(path, frames, rate, format, **given)
    return path


@pytest.mark.parametrize("format", FILES)
def test_every_format_is_read_back(tmp_path: Path, format: VideoFormat):
    read = read_video(written(tmp_path, numbered(), format, text=TEXT))
    assert read.frames.shape == (12, 48, 64, 3)
    assert read.rate == pytest.approx(24)
    assert numbers(read.frames) == list(range(12))
    assert read.remarks == ()


@pytest.mark.parametrize("format", FILES)
def test_every_format_carries_the_texts(tmp_path: Path, format: VideoFormat):
    read = read_media_text(written(tmp_path, numbered(3), format, text=TEXT))
    assert {name: read.get(name) for name in TEXT} == TEXT


@pytest.mark.parametrize("format", LOSSLESS)
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1, 1), (5, 2)])
def test_lossless_formats_keep_every_bit(tmp_path: Path, format: VideoFormat, size):
    frames = noise(5, *size)
    assert np.array_equal(read_video(written(tmp_path, frames, format)).frames, frames)


def test_webp_is_written_frame_by_frame(tmp_path: Path):
    """Of what comes, no more than the last two frames are kept."""
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def frames():
        nonlocal most
        for each in noise(12):
            each = each.copy()
            alive.append(weakref.ref(each))
            yield each
            most = max(most, sum(ref() is not None for ref in alive))

    animated_webp.write(tmp_path / "a.webp", frames(), 24.0, {}, 100)
    assert most <= 3  # the generator's own is one


def test_webp_holds_what_has_changed_alone(tmp_path: Path):
    """Odd places, still frames and one frame alone come back to the bit, at their times."""
    frames = np.repeat(noise(1, 65, 47), 6, axis=0)
    frames[1:, 33:40, 17:20] = 200
    frames[2:, 46, 64] = 5
    frames[5] = noise(1, 65, 47, seed=1)[0]
    read = read_video(written(tmp_path, frames, VideoFormat.WEBP, rate=30.0, quality=100))
    assert (read.frames == frames).all()
    assert read.rate == pytest.approx(30)
    still = written(tmp_path, frames[:5], VideoFormat.WEBP, quality=100).stat().st_size
    assert still < 1.2 * written(tmp_path, frames[:1], VideoFormat.WEBP, quality=100).stat().st_size
    assert (read_video(tmp_path / "clip.webp").frames == frames[:1]).all()


def test_webp_at_full_quality_keeps_every_bit(tmp_path: Path):
    frames = noise()
    read = read_video(written(tmp_path, frames, VideoFormat.WEBP, quality=100))
    assert np.array_equal(read.frames, frames)


def test_the_sound_of_a_lossless_video_keeps_every_bit(tmp_path: Path):
    sound = Sound(tone(0.5) * 3, 44_100)  # louder than full scale, too
    read = read_video(written(tmp_path, numbered(12), VideoFormat.MKV, sound=sound))
    assert read.sound is not None
    assert np.array_equal(read.sound.samples, sound.samples)


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize("rate", [8.0, 12.5, 24000 / 1001, 25.0, 30.0, 50.0])
def test_a_rate_survives(tmp_path: Path, format: VideoFormat, rate: float):
    frames = numbered(9)
    frames[4:7] = frames[4]  # a still part, which some formats keep as one frame
    read = read_video(written(tmp_path, frames, format, rate=rate))
    assert read.rate == pytest.approx(rate, rel=1e-4)
    assert numbers(read.frames) == [0, 1, 2, 3, 4, 4, 4, 7, 8]


@pytest.mark.parametrize("format", [each for each in FILES if each is not VideoFormat.APNG])
def test_a_video_of_one_frame_is_one(tmp_path: Path, format: VideoFormat):
    assert len(read_video(written(tmp_path, numbered(1), format)).frames) == 1


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (63, 47), (1, 1)])
def test_mp4_repeats_the_last_row_or_column_of_an_odd_size(tmp_path: Path, width, height):
    frames = np.full((3, height, width, 3), (200, 60, 40), np.uint8)
    read = read_video(written(tmp_path, frames, VideoFormat.MP4)).frames
    assert read.shape[1:3] == (height + height % 2, width + width % 2)
    assert np.abs(read.astype(int) - (200, 60, 40)).max() <= 3


@pytest.mark.parametrize("format", [VideoFormat.WEBM, VideoFormat.GIF, VideoFormat.WEBP])
def test_other_formats_keep_odd_sizes(tmp_path: Path, format: VideoFormat):
    assert read_video(written(tmp_path, numbered(3, 63, 47), format)).frames.shape[1:3] == (47, 63)


COLOURS = [(200, 40, 30), (20, 180, 60), (40, 60, 220), (128, 128, 128), (0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize("height", [480, 1080])
def test_a_flat_colour_survives(tmp_path: Path, format: VideoFormat, height: int):
    frames = np.zeros((len(COLOURS), height, 64, 3), np.uint8)
    frames += np.array(COLOURS, np.uint8).reshape(-1, 1, 1, 3)
    read = read_video(written(tmp_path, frames, format)).frames
    assert np.abs(read.reshape(len(COLOURS), -1, 3).mean(1) - COLOURS).max() <= 2


@pytest.mark.parametrize(("height", "tag"), [(480, 6), (720, 1), (1080, 1)])
@pytest.mark.parametrize("format", [VideoFormat.MP4, VideoFormat.WEBM])
def test_colours_are_tagged(tmp_path: Path, format: VideoFormat, height: int, tag: int):
    path = written(tmp_path, numbered(2, 64, height), format)
    with av.open(path) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, int(frame.color_range)) == (tag, tag, 1)
    assert frame.format.name == "yuv420p"


@pytest.mark.parametrize(
    ("format", "codec", "rate"),
    [(VideoFormat.MP4, "aac", 44_100), (VideoFormat.WEBM, "opus", 48_000)],
)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sound_goes_in(tmp_path: Path, format: VideoFormat, codec: str, rate: int, channels: int):
    sound = Sound(tone(2.0, channels=channels), 44_100)
    path = written(tmp_path, numbered(12).repeat(4, axis=0), format, sound=sound)
    read = read_video(path)
    assert read.facts.audio is not None
    assert read.facts.audio.codec == codec
    assert read.sound is not None
    assert (read.sound.rate, read.sound.samples.shape[0]) == (rate, channels)
    assert read.sound.seconds == pytest.approx(2.0, abs=0.05)
    middle = read.sound.samples[0, rate // 2 : rate]
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.3535, rel=0.1)


def test_sound_and_frames_lie_side_by_side(tmp_path: Path):
    """A player that reads from the start need not look far ahead."""
    sound = Sound(tone(4.0), 44_100)
    frames = numbered(12).repeat(8, axis=0)
    path = written(tmp_path, frames, VideoFormat.MP4, sound=sound)
    with av.open(path) as container:
        kinds = [packet.stream.type for packet in container.demux() if packet.size]
    assert "audio" in kinds[: len(kinds) // 8]
    assert "video" in kinds[-len(kinds) // 3 :]


def test_an_mp4_can_be_played_before_it_is_whole(tmp_path: Path):
    data = written(tmp_path, numbered(3), VideoFormat.MP4).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("format", "width", "height", "count", "rate"),
    [
        (VideoFormat.GIF, 8, 8, 2, 60.0),
        (VideoFormat.WEBP, 16_384, 2, 2, 24.0),
        (VideoFormat.MP4, 16_386, 2, 2, 24.0),
        (VideoFormat.MP4, 8, 8, 0, 24.0),
        (VideoFormat.MP4, 8, 8, 2, 0.0),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path: Path, format, width, height, count, rate):
    frames = np.zeros((count, height, width, 3), np.uint8)
    with pytest.raises(MediaError) as caught:
        list(save_video(tmp_path / "out", "a", frames, rate, format))
    assert caught.value.way_out
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_saved_names_overwrite_nothing(tmp_path: Path):
    paths = [*save_video(tmp_path, "fox", numbered(2), 24.0, VideoFormat.MP4)]
    paths += save_video(tmp_path, "fox", numbered(2), 24.0, VideoFormat.MP4)
    assert [path.name for path in paths] == ["fox_00001.mp4", "fox_00002.mp4"]


def test_a_sequence_is_a_folder_of_pictures_with_the_sound(tmp_path: Path):
    sound = Sound(tone(0.1), 44_100)
    frames = noise(3)
    paths = [*save_video(tmp_path, "fox", frames, 24.0, VideoFormat.SEQUENCE, sound, TEXT)]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        *(f"fox_00001/frame_{number:05}.png" for number in (1, 2, 3)),
        "fox_00001/sound_00001.wav",
    ]
    assert read_media_text(paths[1])["nodeforge"] == TEXT["nodeforge"]
    again = [*save_video(tmp_path, "fox", frames, 24.0, VideoFormat.SEQUENCE)]
    assert again[0].parent.name == "fox_00002"


def test_a_run_that_is_stopped_leaves_no_file(tmp_path: Path):
    class Stopped(BaseException):
        pass

    def check(done: int, of: int) -> None:
        if done == 2:
            raise Stopped

    for format in FILES:
        with pytest.raises(Stopped):
            list(save_video(tmp_path, "a", numbered(4), 24.0, format, check=check))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for format in VideoFormat:
        with pytest.raises(SaveError):
            list(save_video(tmp_path / "file", "a", numbered(2), 24.0, format))


def test_a_full_disk_is_said(tmp_path: Path):
    def fill(path: Path) -> None:
        path.write_bytes(b"part")
        raise OSError(28, "No space left on device")

    with pytest.raises(SaveError, match="disk is full"):
        write_new(tmp_path, "a_{}.mp4", fill)
    assert list(tmp_path.iterdir()) == []
