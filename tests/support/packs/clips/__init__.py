"""Nodes that give videos and sounds, for tests and benchmarks of the window."""

import time

import numpy as np
import torch

from nodeforge.api import Audio, Latent, RunContext, Video, node

SOUND_RATE = 8000


def frames_of(count: int, width: int, height: int) -> np.ndarray:
    """Frames that tell their number: red is the index, green 0, blue to the right."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0] = np.arange(count, dtype=np.uint8)[:, None, None]
    frames[..., 2] = np.linspace(0, 255, width).astype(np.uint8)
    return frames


def tone(seconds: float, channels: int = 2) -> torch.Tensor:
    """(1, channels, samples) of a tone at half the amplitude."""
    times = torch.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    wave = torch.sin(times * 440 * 2 * torch.pi) * 0.5
    return wave.repeat(1, channels, 1)


@node("clips.video")
def video(
    frames: int = 24,
    width: int = 64,
    height: int = 48,
    rate: float = 24.0,
    sound: float = 0.0,
    seconds: float = 0.0,
) -> Video:
    """Make a video.

    Args:
        frames: How many frames.
        width: Pixels.
        height: Pixels.
        rate: Frames a second.
        sound: Seconds of its sound.
        seconds: How long it takes to make: long enough is worth a file.
    """
    time.sleep(seconds)
    audio = Audio(tone(sound), SOUND_RATE) if sound else None
    return Video(torch.from_numpy(frames_of(frames, width, height)), rate, audio)


@node("clips.sound")
def sound(seconds: float = 1.0, channels: int = 1) -> Audio:
    """Make a sound.

    Args:
        seconds: How long.
        channels: How many channels.
    """
    return Audio(tone(seconds, channels), SOUND_RATE)


@node("clips.latent")
def latent(frames: int = 5) -> Latent:
    """Make a latent with a time axis.

    Args:
        frames: Cells of the time axis.
    """
    return Latent(torch.randn(1, 4, frames, 6, 8), "sd", 8, "BCTHW", 16.0)


@node("clips.denoise")
def denoise(
    run: RunContext, steps: int = 3, frames: int = 6, rate: float = 16.0, seconds: float = 0.05
) -> Video:
    """Make a video in steps, with a preview of all its frames after each.

    Args:
        steps: How many steps.
        frames: How many frames.
        rate: Frames a second.
        seconds: How long a step takes.
    """
    made = frames_of(frames, 32, 24)
    for step in range(steps):
        time.sleep(seconds)
        made[..., 1] = (step + 1) * 12
        run.progress(step + 1, steps, lambda: made, rate=rate)
    return Video(torch.from_numpy(made), rate)
