"""Sound cut, joined, mixed and converted: float32, (..., channels, samples), about -1..1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import BlockingIOError, EOFError
from av.filter import Graph

from nodeforge.media.errors import ClipTooLargeError, RangeError
from nodeforge.media.sound import MOST_SOUND, Samples, check_rate
from nodeforge.media.sound_writing import LAYOUTS


def check_size(channels: int, rate: int, seconds: float, batch: int = 1) -> None:
    """Refuse sound that would be too large, before it is made.

    Raises:
        ClipTooLargeError: its samples would take more than `MOST_SOUND`.
    """
    size = batch * channels * rate * seconds * 4
    if size > MOST_SOUND:
        raise ClipTooLargeError(
            f"{seconds:,.0f} s of sound would take {size / 2**30:,.1f} GiB; "
            f"{MOST_SOUND / 2**30:.0f} GiB are held at once.",
            way_out="Make it shorter.",
        )


def trimmed(samples: Samples, rate: int, start: float, end: float) -> Samples:
    """The part of a sound from `start` to `end`, seconds; negative ones count from its end.

    Args:
        samples: (..., samples).
        rate: Samples a second.
        start: Where it begins.
        end: Where it ends; 0 is the end of the sound.

    Raises:
        RangeError: nothing lies in it.
    """
    count = samples.shape[-1]
    first = round(start * rate) + (count if start < 0 else 0)
    last = round(end * rate) + (count if end <= 0 else 0)
    first, last = max(0, first), min(last, count)
    if first >= last:
        raise RangeError(
            f"no sound lies from {start:g} s to {end:g} s: it lasts {count / rate:.3f} s.",
            way_out="Choose a start before the end, within the sound; an end of 0 is its end.",
        )
    return np.ascontiguousarray(samples[..., first:last])


def lasting(samples: Samples, rate: int, seconds: float) -> Samples:
    """A sound of exactly this length: cut, or with silence behind it."""
    count = max(0, round(seconds * rate))
    missing = count - samples.shape[-1]
    if missing > 0:
        return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])
    return np.ascontiguousarray(samples[..., :count])


def delayed(samples: Samples, rate: int, seconds: float) -> Samples:
    """A sound with silence before it."""
    return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(round(seconds * rate), 0)])


def amplified(samples: Samples, decibels: float) -> Samples:
    """Louder or softer by `decibels`; nothing is clipped, as samples are floats."""
    return samples * np.float32(10 ** (decibels / 20))


def silence(seconds: float, rate: int, channels: int) -> Samples:
    """Silence: (channels, samples).

    Raises:
        RangeError: the rate is none of a sound.
        ClipTooLargeError: it would be too long.
    """
    check_rate(rate)
    check_size(channels, rate, seconds)
    return np.zeros((channels, max(1, round(seconds * rate))), np.float32)


def faded(samples: Samples, rate: int, fade_in: float, fade_out: float) -> Samples:
    """Rising from silence at the start and falling to it at the end, in a line.

    Args:
        samples: (..., samples).
        rate: Samples a second.
        fade_in: Seconds.
        fade_out: Seconds.

    Raises:
        RangeError: both together are longer than the sound.
    """
    count = samples.shape[-1]
    rising, falling = round(fade_in * rate), round(fade_out * rate)
    if rising + falling > count:
        raise RangeError(
            f"fades of {fade_in:g} s and {fade_out:g} s are longer than the sound, "
            f"{count / rate:.3f} s.",
            way_out="Make them shorter.",
        )
    made = samples.copy()
    made[..., :rising] *= np.arange(rising, dtype=np.float32) / max(rising, 1)
    made[..., count - falling :] *= np.arange(falling - 1, -1, -1, dtype=np.float32) / max(
        falling, 1
    )
    return made


def mixed(first: Samples, second: Samples, second_gain: float = 0.0) -> Samples:
    """Two sounds at once, as long as the longer one; they add up and nothing is clipped.

    Args:
        first: (..., channels, samples).
        second: The same number of channels and the same rate.
        second_gain: Decibels of the second.
    """
    second = amplified(second, second_gain)
    count = max(first.shape[-1], second.shape[-1])
    return lasting(first, 1, count) + lasting(second, 1, count)


def joined(sounds: Sequence[Samples], overlap: int = 0) -> Samples:
    """Sounds one after another, over `overlap` samples faded from one into the next.

    Raises:
        RangeError: one is shorter than the overlap.
    """
    made = sounds[0]
    for each in sounds[1:]:
        if overlap > min(made.shape[-1], each.shape[-1]):
            raise RangeError(
                "a sound is shorter than the crossfade.", way_out="Make the crossfade shorter."
            )
        share = (np.arange(overlap, dtype=np.float32) + 1) / (overlap + 1)
        until = made.shape[-1] - overlap
        both = made[..., until:] * (1 - share) + each[..., :overlap] * share
        made = np.concatenate([made[..., :until], both, each[..., overlap:]], axis=-1)
    return np.ascontiguousarray(made, np.float32)


def converted(samples: Samples, rate: int, to_rate: int, channels: int = 0) -> Samples:
    """Sound at another rate or with other channels, by FFmpeg's resampler.

    One channel becomes several alike; several become fewer as FFmpeg's downmix has it.

    Args:
        samples: (..., channels, samples).
        rate: Samples a second.
        to_rate: What it becomes.
        channels: How many; 0 keeps them.

    Raises:
        RangeError: the rate is none of a sound, or no layout has so many channels.
    """
    check_rate(to_rate)
    own = samples.shape[-2]
    channels = channels or own
    if (rate, own) == (to_rate, channels):
        return samples
    if own == 1 and channels > 1:
        one = converted(samples, rate, to_rate)
        return np.repeat(one, channels, axis=-2)
    for each in (own, channels):
        if each not in LAYOUTS:
            raise RangeError(
                f"sound of {each} channels has no layout.",
                way_out=f"Use up to {max(LAYOUTS)} channels.",
            )
    check_size(channels, to_rate, samples.shape[-1] / rate)
    count = round(samples.shape[-1] * to_rate / rate)
    layout = LAYOUTS[channels]

    def change(one: Samples) -> Samples:
        made = _resampled(AudioResampler("fltp", layout, to_rate), one, rate)
        return lasting(made, 1, count)

    return _each(samples, change)


def stretched(samples: Samples, rate: int, factor: float) -> Samples:
    """Sound `factor` times as fast at the same pitch (FFmpeg's atempo: WSOLA).

    Args:
        samples: (..., channels, samples).
        rate: Samples a second.
        factor: Above 1 is faster.
    """
    if factor == 1:
        return samples
    count = max(1, round(samples.shape[-1] / factor))
    return _each(samples, lambda one: lasting(_tempo(one, rate, factor), 1, count))


def _each(samples: Samples, change: Callable[[Samples], Samples]) -> Samples:
    """`change` of every sound of a batch."""
    flat = samples.reshape(-1, *samples.shape[-2:])
    made = np.stack([change(one) for one in flat])
    return made.reshape(*samples.shape[:-2], *made.shape[1:])


def _frame(samples: Samples, rate: int) -> AudioFrame:
    content = np.ascontiguousarray(samples, np.float32)
    frame = AudioFrame.from_ndarray(content, "fltp", LAYOUTS[samples.shape[0]])
    frame.sample_rate, frame.pts = rate, 0
    return frame


def _resampled(resampler: AudioResampler, samples: Samples, rate: int) -> Samples:
    made = [*resampler.resample(_frame(samples, rate)), *resampler.resample(None)]
    return np.concatenate([np.asarray(each.to_ndarray(), np.float32) for each in made], axis=1)


_SLOWEST = 0.5
"""Of one atempo; slower is several."""


def _tempo(samples: Samples, rate: int, factor: float) -> Samples:
    graph = Graph()
    last = graph.add_abuffer(
        sample_rate=rate, format="fltp", layout=LAYOUTS[samples.shape[0]], channels=samples.shape[0]
    )
    while factor != 1:
        now = min(max(factor, _SLOWEST), 1 / _SLOWEST)
        filter = graph.add("atempo", f"{now:.9f}")
        last.link_to(filter)
        last, factor = filter, factor / now
    planar = graph.add("aformat", "sample_fmts=fltp")  # atempo gives samples side by side
    sink = graph.add("abuffersink")
    last.link_to(planar)
    planar.link_to(sink)
    graph.configure()
    graph.push(_frame(samples, rate))
    graph.push(None)
    made: list[Samples] = []
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            break
        assert isinstance(frame, AudioFrame)
        made.append(np.asarray(frame.to_ndarray(), np.float32))
    return np.concatenate(made, axis=1) if made else samples[:, :0]
