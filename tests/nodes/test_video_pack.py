"""Videos and sounds through the nodes, with what the run is told."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nodeforge import imaging, media
from nodeforge.api import Audio, Image, NodeForgeError, SizeMismatchError, Video
from nodeforge.worker.packs import load_pack
from support.media_files import numbered, numbers, tone

NODES = Path(__file__).parents[2] / "nodes"


@pytest.fixture(scope="module")
def nodes():
    """The functions of both packs, by node type id."""
    packs = (load_pack(NODES / name) for name in ("video", "audio"))
    return {type_id: made.function for pack in packs for type_id, made in pack.items()}


class Run:
    """What the nodes need of a run."""

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self.stamp = {"nodeforge": '{"format": 1}', "parameters": "a fox\nSteps: 3, Seed: 7"}
        self.files: list[Path] = []
        self.notices: list[str] = []
        self.done = 0

    def check(self) -> None:
        pass

    def progress(self, step: int, of: int) -> None:
        self.done = step

    def notice(self, fact: str) -> None:
        self.notices.append(fact)

    def saved(self, path: Path) -> None:
        self.files.append(path)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "outputs")


def audio(seconds=0.5, rate=44_100, channels=2, batch=1) -> Audio:
    samples = np.stack([tone(seconds, rate, channels)] * batch)
    return Audio(torch.from_numpy(samples), rate)


def video(count=12, width=64, height=48, rate=24.0, sound: Audio | None = None) -> Video:
    return Video(torch.from_numpy(numbered(count, width, height)), rate, sound)


def shown(made: Video) -> list[int]:
    return numbers(made.frames.numpy())


@pytest.mark.parametrize("format", media.VideoFormat)
def test_a_saved_video_is_told_to_the_run_and_stamped(nodes, run: Run, format: media.VideoFormat):
    nodes["video.save"](run, video(sound=audio()), "clips/fox_{seed}_{width}", format)
    assert run.files
    assert all(path.is_file() for path in run.files)
    assert run.files[0].relative_to(run.outputs).parts[0] == "clips"
    assert "fox_7_64_00001" in str(run.files[0])
    assert media.read_media_text(run.files[0])["nodeforge"] == '{"format": 1}'
    silent = format in ("gif", "apng", "webp")
    assert any("no sound" in notice for notice in run.notices) == silent
    assert run.done == 12


def test_an_odd_size_is_said_of_mp4(nodes, run: Run):
    nodes["video.save"](run, video(3, 63, 48))
    assert "repeated" in run.notices[0]


def test_a_prefix_that_leads_out_of_the_outputs_is_refused(nodes, run: Run):
    for name, value in (("video.save", video(2)), ("audio.save", audio())):
        for prefix in ("../fox", "/fox", "{nonsense}"):
            with pytest.raises(imaging.SaveError):
                nodes[name](run, value, prefix)
    assert run.files == []


def test_a_video_that_its_format_cannot_hold_is_refused_before_anything_is_written(nodes, run: Run):
    with pytest.raises(media.MediaError, match="60 frames a second"):
        nodes["video.save"](run, video(rate=60.0), format=media.VideoFormat.GIF)
    assert not run.outputs.exists()


def test_what_was_saved_is_loaded(nodes, run: Run):
    nodes["video.save"](run, video(sound=audio()), format=media.VideoFormat.MKV)
    loaded = nodes["video.load"](run, run.files[0])
    assert torch.equal(loaded.frames, video().frames)
    assert loaded.audio.samples.shape == (1, 2, 22_050)
    part = nodes["video.load"](run, run.files[0], 2, 8, media.TimeUnit.FRAMES, 2)
    assert (part.count, part.rate) == (3, 12)


def test_pictures_become_a_video_and_come_back(nodes):
    frames = numbered(5)
    pictures = Image(torch.from_numpy(imaging.to_float(frames)))
    made = nodes["video.from_images"](pictures, 12.5, audio(batch=3))
    assert np.array_equal(made.frames.numpy(), frames)
    assert made.audio.batch == 1
    assert torch.equal(nodes["video.to_images"](made).pixels, pictures.pixels)
    assert nodes["video.to_images"](made, -2, 0).batch == 2
    assert torch.equal(nodes["video.frame"](made, -1).pixels, pictures.pixels[4:])
    ends = nodes["video.ends"](made)
    assert torch.equal(ends.first.pixels, pictures.pixels[:1])
    assert torch.equal(ends.last.pixels, pictures.pixels[4:])


def test_pictures_with_alpha_lose_it(nodes):
    made = nodes["video.from_images"](Image(torch.rand(2, 8, 8, 4)))
    assert made.frames.shape == (2, 8, 8, 3)


def test_too_many_frames_are_no_pictures(nodes):
    wide = torch.zeros(1, 1, 1, 3, dtype=torch.uint8).expand(2000, 1080, 1920, 3)
    with pytest.raises(media.ClipTooLargeError):
        nodes["video.to_images"](Video(wide, 24.0))


def test_components_tell_length_and_sound(nodes):
    told = nodes["video.components"](video(sound=audio()))
    assert told[:5] == (24.0, 12, 0.5, 64, 48)
    assert told.audio.rate == 44_100
    silent = nodes["video.components"](video()).audio
    assert silent.seconds == 0.5
    assert not silent.samples.any()


def test_a_trimmed_video_keeps_the_sound_under_it(nodes):
    made = nodes["video.trim"](video(sound=audio()), 0.25, 0.375)
    assert shown(made) == [6, 7, 8]
    assert made.audio.seconds == pytest.approx(0.125, abs=1e-4)
    assert torch.equal(made.audio.samples, audio().samples[..., 11025 : 11025 + 5512])
    late = nodes["video.trim"](video(sound=audio(0.1)), 0.25, 0.375)
    assert late.audio is None


def test_joined_videos_have_the_rate_and_size_of_the_first(nodes):
    second = video(6, rate=12.0, sound=audio(rate=22_050, channels=1))
    made = nodes["video.join"]([video(), second])
    assert (made.rate, made.count, made.seconds) == (24.0, 24, 1.0)
    assert made.audio.seconds == pytest.approx(1.0)
    assert not made.audio.samples[..., : made.audio.rate // 2].any()
    assert made.audio.samples[..., made.audio.rate // 2 :].any()
    with pytest.raises(SizeMismatchError):
        nodes["video.join"]([video(), video(3, 32, 32)])
    fitted = nodes["video.join"]([video(), video(3, 32, 32)], imaging.BatchSizes.CROP)
    assert fitted.frames.shape == (15, 48, 64, 3)
    with pytest.raises(NodeForgeError):
        nodes["video.join"]([])


def test_a_crossfade_overlaps_frames_and_sound(nodes):
    made = nodes["video.crossfade"](video(sound=audio()), video(sound=audio()), 0.25)
    assert made.count == 18
    assert made.audio.seconds == pytest.approx(0.75, abs=1e-3)
    with pytest.raises(media.RangeError, match="crossfade"):
        nodes["video.crossfade"](video(), video(), 2.0)


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_speed_changes_the_length_of_frames_and_sound(nodes, factor: float):
    given = video(sound=audio())
    kept_rate = nodes["video.speed"](given, factor)
    assert (kept_rate.rate, kept_rate.count) == (24.0, round(12 / factor))
    kept_frames = nodes["video.speed"](given, factor, media.SpeedChange.KEEP_FRAMES)
    assert (kept_frames.rate, kept_frames.count) == (24.0 * factor, 12)
    for made in (kept_rate, kept_frames):
        assert made.audio.seconds == pytest.approx(0.5 / factor, rel=0.01)


def test_a_rate_is_changed_and_the_length_stays(nodes):
    made = nodes["video.rate"](video(sound=audio()), 12.0)
    assert (made.count, made.rate, made.seconds) == (6, 12.0, 0.5)
    assert made.audio.seconds == 0.5


def test_a_reversed_video_ends_with_its_first_frame(nodes):
    made = nodes["video.reverse"](video(sound=audio()))
    assert shown(made) == list(range(11, -1, -1))
    assert torch.equal(made.audio.samples, audio().samples.flip(-1))
    kept = nodes["video.reverse"](video(sound=audio()), sound=False)
    assert torch.equal(kept.audio.samples, audio().samples)


def test_a_contact_sheet_is_a_grid(nodes):
    sheet = nodes["video.contact_sheet"](video(), 4, 2, 4)
    assert sheet.pixels.shape == (1, 2 * 48 + 4, 2 * 64 + 4, 3)
    assert nodes["video.contact_sheet"](video(1)).pixels.shape == (1, 48, 64, 3)


@pytest.mark.parametrize(
    ("length", "count", "seconds"),
    [("video", 12, 0.5), ("shortest", 6, 0.25), ("longest", 12, 0.5)],
)
def test_a_shorter_sound_is_set(nodes, length: str, count: int, seconds: float):
    kind = nodes["video.set_audio"].__annotations__["length"]
    made = nodes["video.set_audio"](video(), audio(0.25), kind(length))
    assert made.count == count
    assert made.audio.seconds == pytest.approx(seconds, abs=1e-3)


def test_a_longer_sound_holds_the_last_frame(nodes):
    kind = nodes["video.set_audio"].__annotations__["length"]
    made = nodes["video.set_audio"](video(), audio(1.0), kind("longest"))
    assert (made.count, made.audio.seconds) == (24, 1.0)
    assert shown(made)[11:] == [11] * 13


def test_saved_sounds_are_told_and_stamped(nodes, run: Run):
    nodes["audio.save"](run, audio(batch=2), "song_{seed}", media.AudioFormat.FLAC)
    assert [path.name for path in run.files] == ["song_7_00001.flac", "song_8_00001.flac"]
    assert media.read_media_text(run.files[1])["parameters"].endswith("Seed: 8")
    loaded = nodes["audio.load"](run.files[0])
    assert loaded.samples.shape == (1, 2, 22_050)


def test_sounds_of_other_rates_and_channels_are_mixed_and_joined(nodes):
    first, second = audio(0.5), audio(1.0, 22_050, 1)
    mixed = nodes["audio.mix"](first, second, offset=0.25)
    assert (mixed.rate, mixed.channels, mixed.seconds) == (44_100, 2, 1.25)
    joined = nodes["audio.join"]([first, second])
    assert (joined.rate, joined.channels, joined.seconds) == (44_100, 2, 1.5)
    batch = nodes["audio.join"]([audio(batch=3), second])
    assert batch.batch == 3
    for node in (nodes["audio.mix"], lambda a, b: nodes["audio.join"]([a, b])):
        with pytest.raises(SizeMismatchError):
            node(audio(batch=2), audio(batch=3))
    with pytest.raises(NodeForgeError):
        nodes["audio.join"]([])


def test_the_other_sound_nodes(nodes):
    assert nodes["audio.trim"](audio(), -0.25).seconds == 0.25
    assert nodes["audio.resample"](audio(), 48_000, 1).samples.shape == (1, 1, 24_000)
    assert nodes["audio.fade"](audio(), 0.1, 0.1).samples[0, 0, 0] == 0
    assert nodes["audio.silence"](2.0, 8_000, 1).samples.shape == (1, 1, 16_000)
    assert nodes["audio.gain"](audio(), -100.0).samples.abs().max() < 1e-4
