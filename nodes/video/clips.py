"""From what travels along links to numpy, and back, without copying."""

from dataclasses import replace

import numpy as np
import torch

from nodeforge import media
from nodeforge.api import Audio, Video


def video_of(frames: media.clip_edits.Bytes, rate: float, audio: Audio | None) -> Video:
    """A video of uint8 (frames, height, width, 3)."""
    return Video(torch.from_numpy(np.ascontiguousarray(frames)), rate, audio)


def audio_of(sound: media.Sound | None) -> Audio | None:
    """A batch of one."""
    return None if sound is None else Audio(torch.from_numpy(sound.samples[None]), sound.rate)


def sound_of(audio: Audio | None) -> media.Sound | None:
    """The first sound of a batch, which is a video's; None where it holds no samples."""
    if audio is None or not audio.samples.numel():
        return None
    return media.Sound(audio.samples[0].numpy(), audio.rate)


def changed(audio: Audio, samples: media.Samples) -> Audio:
    """`audio` with other samples."""
    return replace(audio, samples=torch.from_numpy(np.ascontiguousarray(samples)))


def part_of(audio: Audio | None, start: float, seconds: float) -> Audio | None:
    """The sound under a part of a video; None where it has none there."""
    if audio is None or start >= audio.seconds:
        return None
    samples = media.sound_edits.trimmed(audio.samples.numpy(), audio.rate, start, 0.0)
    return changed(audio, samples[..., : max(1, round(seconds * audio.rate))])
