"""Sounds cut, mixed, joined and made louder; every one of a batch alike."""

from typing import Annotated

import torch

from nodeforge import media
from nodeforge.api import Audio, NodeForgeError, Range, SizeMismatchError, node

from .sounds import changed

_Rate = Annotated[int, Range(1_000, 768_000)]
_Seconds = Annotated[float, Range(0.0, 86_400.0, step=0.1)]


@node("audio.trim", title="Trim audio")
def trim(audio: Audio, start: float = 0.0, end: float = 0.0) -> Audio:
    """Take a part of a sound.

    Args:
        audio: The sound.
        start: Seconds where it begins; negative counts from the end.
        end: Seconds where it ends; negative counts from the end, 0 is the end.
    """
    return changed(audio, media.sound_edits.trimmed(audio.samples.numpy(), audio.rate, start, end))


@node("audio.gain", title="Gain")
def gain(audio: Audio, decibels: Annotated[float, Range(-100.0, 60.0, step=0.5)] = 0.0) -> Audio:
    """Make a sound louder or softer; nothing is clipped until it is saved.

    Args:
        audio: The sound.
        decibels: 6 is about twice the amplitude, -6 half.
    """
    return changed(audio, media.sound_edits.amplified(audio.samples.numpy(), decibels))


@node("audio.mix", title="Mix audio")
def mix(
    first: Audio,
    second: Audio,
    second_gain: Annotated[float, Range(-100.0, 60.0, step=0.5)] = 0.0,
    offset: _Seconds = 0.0,
) -> Audio:
    """Play two sounds at once; the rate is the first one's, the length that of the longer.

    Args:
        first: A sound.
        second: Another, or a batch of as many.
        second_gain: Decibels of the second.
        offset: Seconds after which the second begins.
    """
    _check_batches(first, second)
    edits, rate, channels = media.sound_edits, first.rate, max(first.channels, second.channels)
    edits.check_size(channels, rate, offset + second.seconds, second.batch)
    under, over = (
        edits.converted(each.samples.numpy(), each.rate, rate, channels) for each in (first, second)
    )
    return changed(first, edits.mixed(under, edits.delayed(over, rate, offset), second_gain))


@node("audio.join", title="Join audio")
def join(audios: list[Audio], crossfade: _Seconds = 0.0) -> Audio:
    """Put sounds one after another, at the rate of the first one.

    Args:
        audios: The sounds, in the order of the inputs; batches of the same number, or of one.
        crossfade: Seconds over which each fades into the next.
    """
    if not audios:
        raise NodeForgeError("there is no sound.", way_out="Link at least one.")
    largest = max(audios, key=lambda each: each.batch)
    widest = max(audios, key=lambda each: each.channels)
    rate, edits = audios[0].rate, media.sound_edits
    made = list[media.Samples]()
    for each in audios:
        _check_batches(each, largest)
        one = edits.converted(each.samples.numpy(), each.rate, rate, widest.channels)
        made.append(one.repeat(largest.batch // each.batch, 0))
    return changed(audios[0], edits.joined(made, round(crossfade * rate)))


def _check_batches(first: Audio, second: Audio) -> None:
    if 1 not in (first.batch, second.batch) and first.batch != second.batch:
        raise SizeMismatchError(
            f"one batch has {first.batch} sounds, another {second.batch}.",
            way_out="Use batches of the same number, or of one.",
        )


@node("audio.resample", title="Resample audio")
def resample(
    audio: Audio, rate: _Rate = 48_000, channels: Annotated[int, Range(0, 8)] = 0
) -> Audio:
    """Bring a sound to another sample rate, or to another number of channels.

    Args:
        audio: The sound.
        rate: Samples a second.
        channels: 1 is mono, 2 stereo, 6 is 5.1; 0 keeps them. One channel becomes several alike.
    """
    samples = media.sound_edits.converted(audio.samples.numpy(), audio.rate, rate, channels)
    return changed(audio, samples, rate)


@node("audio.fade", title="Fade audio")
def fade(audio: Audio, fade_in: _Seconds = 0.5, fade_out: _Seconds = 0.5) -> Audio:
    """Let a sound rise from silence, and fall to it at the end, in a line.

    Args:
        audio: The sound.
        fade_in: Seconds at its start.
        fade_out: Seconds at its end.
    """
    samples = media.sound_edits.faded(audio.samples.numpy(), audio.rate, fade_in, fade_out)
    return changed(audio, samples)


@node("audio.silence", title="Silence")
def silence(
    seconds: Annotated[float, Range(0.001, 86_400.0, step=0.1)] = 1.0,
    rate: _Rate = 44_100,
    channels: Annotated[int, Range(1, 8)] = 2,
) -> Audio:
    """Make silence.

    Args:
        seconds: How long.
        rate: Samples a second.
        channels: 1 is mono, 2 stereo.
    """
    samples = media.sound_edits.silence(seconds, rate, channels)
    return Audio(torch.from_numpy(samples[None]), rate)
