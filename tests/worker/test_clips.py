"""Clips that the worker has open for the window: frames, sound, waveform (issue 20)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nodeforge.errors import RequestError
from nodeforge.values import Audio, Image, Latent, Video
from nodeforge.worker.clips import MOST_OPEN, OpenClips, facts_of, shrunk
from nodeforge.worker.render import render


def video(count: int = 6, height: int = 30, width: int = 50, audio: Audio | None = None) -> Video:
    frames = torch.zeros(count, height, width, 3, dtype=torch.uint8)
    frames[..., 0] = torch.arange(count)[:, None, None]
    return Video(frames, 12.0, audio)


def sound(seconds: float = 1.0, channels: int = 2, rate: int = 1000) -> Audio:
    times = torch.arange(round(seconds * rate)) / rate
    return Audio(torch.sin(times * 50).repeat(1, channels, 1), rate)


def test_frames_come_by_number_and_in_the_size_that_is_shown():
    clips = OpenClips()
    opened = clips.open(video())
    assert (opened["frames"], opened["rate"], opened["width"], opened["height"]) == (6, 12, 50, 30)
    frames = clips.frames(opened["id"], 2, 3, 4096)
    assert frames.shape == (3, 30, 50, 3)
    assert [int(frame[0, 0, 0]) for frame in frames] == [2, 3, 4]
    assert clips.frames(opened["id"], 5, 8, 25).shape == (1, 15, 25, 3)
    assert clips.frames(opened["id"], 6, 8, 25).shape[0] == 0


@pytest.mark.parametrize("size", [(480, 832), (1, 900), (901, 1), (333, 777), (64, 64)])
@pytest.mark.parametrize("longest", [1, 64, 320, 500, 4096])
def test_a_frame_of_one_colour_keeps_it_in_every_size(size: tuple[int, int], longest: int):
    made = shrunk(np.full((*size, 3), (200, 10, 90), np.uint8), longest)
    assert max(made.shape[:2]) == min(longest, max(size))
    assert (made == (200, 10, 90)).all()


def test_a_clip_that_is_open_already_keeps_its_id_and_the_oldest_is_let_go():
    clips = OpenClips()
    first = video()
    opened = clips.open(first)["id"]
    assert clips.open(first)["id"] == opened
    for _ in range(MOST_OPEN):
        clips.open(video())
    with pytest.raises(RequestError, match="not open any more"):
        clips.frames(opened, 0, 1, 64)


def test_sound_comes_as_pcm_of_one_or_two_channels():
    clips = OpenClips()
    for channels, heard in ((1, 1), (2, 2), (6, 1)):
        samples, rate = clips.sound(clips.open(sound(channels=channels))["id"])
        assert (samples.shape, samples.dtype, rate) == ((1000, heard), np.int16, 1000)
        assert abs(int(samples.max()) - 32767) < 100


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 7.0, -7.0])
def test_samples_out_of_range_are_cut_off(value: float):
    clips = OpenClips()
    samples, _ = clips.sound(clips.open(Audio(torch.full((1, 1, 10), value), 10))["id"])
    assert set(samples[:, 0].tolist()) <= {0, 32767, -32767}


def test_what_stands_still_is_no_clip_and_a_latent_with_a_time_axis_is_one():
    clips = OpenClips()
    assert clips.open(Image(torch.zeros(2, 4, 4, 3))) == {}
    assert clips.open(Latent(torch.zeros(2, 4, 4, 4), "sd", 8)) == {}
    assert clips.open(video(count=0)) == {}
    latent = Latent(torch.zeros(1, 4, 5, 6, 8), "sd", 8, "BCTHW", 16.0)
    opened = clips.open(latent)
    assert (opened["frames"], opened["width"], opened["height"]) == (5, 64, 48)
    assert clips.frames(opened["id"], 0, 5, 512).shape == (5, 6, 8, 3)


def test_sounds_without_samples_have_an_empty_waveform_and_no_sound():
    nothing = Audio(torch.zeros(1, 2, 0), 44100)
    clips = OpenClips()
    assert clips.sound(clips.open(nothing)["id"])[0].shape == (0, 2)
    assert render(nothing, 64).shape == (16, 64, 4)
    assert facts_of(video(audio=nothing)).sound == 0


def test_the_waveform_covers_what_is_loud_and_a_line_of_what_is_quiet():
    samples = torch.zeros(1, 1, 1000)
    samples[..., 500:] = torch.sin(torch.arange(500) * 1.0)
    picture = render(Audio(samples, 1000), 200)
    assert picture.shape == (50, 200, 4)
    covered = (picture[..., 3] > 0).sum(axis=0)
    assert covered[:90].max() <= 3
    assert covered[110:].min() > 30


def test_a_video_s_picture_is_its_frame():
    assert render(video(), 4096, 3)[0, 0, 0] == 3
    assert render(video(), 25).shape == (15, 25, 3)
    assert render(video(), item=6) is None
