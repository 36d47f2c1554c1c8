"""Reads sound, of sound files and videos, as float32 samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from nodeforge.media.container import DAMAGE, RATES, audio_stream, damaged, open_media
from nodeforge.media.errors import ClipTooLargeError, CutOffError, MediaError, RangeError

Samples = NDArray[np.float32]
MOST_SOUND = 2 * 2**30
"""Bytes of the samples of one sound: three hours in stereo at 48 kHz."""
_MOST_SILENCE = 60.0
"""Seconds before sound that begins late; more is a damaged time."""
_EXACT = ("mov", "wav", "w64", "flac", "aiff", "matroska", "webm", "caf")
"""Demuxers whose headers say exactly how long sound is."""
_SLACK = 0.25
"""Seconds by which a header may be off: padding of encoders."""


@dataclass(frozen=True)
class Sound:
    """Samples of one sound.

    Args:
        samples: float32, (channels, samples), about -1..1.
        rate: Samples a second.
    """

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return self.samples.shape[1] / self.rate


def read_audio(
    path: Path, start: float = 0.0, end: float = 0.0, rate: int = 0, most_bytes: int = MOST_SOUND
) -> Sound:
    """The sound of a sound file or a video, every channel as it is.

    Args:
        path: WAV, FLAC, Opus, Ogg, MP3, AAC, ..., or a video.
        start: Seconds from the beginning.
        end: Seconds, not part of it; 0 is the end of the file.
        rate: Samples a second to bring it to; 0 keeps the file's.
        most_bytes: What the samples may take.

    Raises:
        MissingStreamError: it has no sound.
        RangeError: nothing of it lies in the range.
        ClipTooLargeError: it would be too large.
        MediaError: it cannot be read, is cut off, or holds no samples.
    """
    check_audio_range(start, end, rate)
    with open_media(path) as container:
        stream, name = audio_stream(container, path), container.format.name
        context = stream.codec_context
        announced = stream.duration and float(stream.duration * (stream.time_base or 0))
        stop = end or float("inf")
        if announced:
            _check_size(
                min(stop, announced) - start, rate or context.sample_rate, stream, most_bytes
            )
        origin = stream.start_time or 0
        first = float(origin * (stream.time_base or 0)) if announced else 0.0
        sound, is_cut = decoded(container, stream, first + start, first + stop, rate, most_bytes)
    if is_cut:
        raise (
            _cut_off(path, start, sound.seconds)
            if sound.seconds
            else damaged(path, "its sound cannot be decoded")
        )
    if not sound.samples.shape[1]:
        if start and (announced or 0) <= start:
            raise RangeError(
                f"starts at {start:g} s, but the sound lasts {announced or 0:.3f} s.",
                place=str(path),
                way_out="Choose an earlier start.",
            )
        raise MediaError(
            "holds no samples: its sound is empty.",
            place=str(path),
            way_out="Choose a sound file that is longer.",
        )
    _check_whole(sound, start, stop, announced, name, path)
    return sound


def check_audio_range(start: float, end: float, rate: int) -> None:
    """Refuse a range or rate that no sound can have.

    Raises:
        RangeError: a number is negative, the end is not after the start, or the rate is nonsense.
    """
    if not (np.isfinite([start, end]).all() and start >= 0 and end >= 0):
        raise RangeError("start and end are seconds from 0.", way_out="Give numbers from 0.")
    if end and end <= start:
        raise RangeError(
            f"the end, {end:g} s, is not after the start, {start:g} s.",
            way_out="Raise 'end', or set it to 0 for the end of the file.",
        )
    check_rate(rate or RATES[0])


def check_rate(rate: int) -> None:
    """Refuse a rate that no sound has.

    Raises:
        RangeError: it lies beyond `RATES`.
    """
    if not RATES[0] <= rate <= RATES[1]:
        raise RangeError(
            f"{rate} samples a second is no rate of a sound.",
            way_out=f"Choose one from {RATES[0]} to {RATES[1]}, as 44100 or 48000.",
        )


def decoded(
    container: InputContainer,
    stream: AudioStream,
    start: float,
    end: float,
    rate: int = 0,
    most_bytes: int = MOST_SOUND,
) -> tuple[Sound, bool]:
    """The samples of a stream from `start` to `end`, seconds of its presentation times.

    Where the stream begins after `start`, there is silence before it, of at most a minute.

    Returns:
        What can be decoded, and whether it ends early because the file is damaged.

    Raises:
        ClipTooLargeError: they would take more than `most_bytes`.
    """
    rate = rate or stream.codec_context.sample_rate
    resampler = AudioResampler("fltp", stream.codec_context.layout, rate)
    chunks: list[Samples] = []
    offset: float | None = None
    size, is_cut = 0, False
    try:
        if start > 1.0 and stream.time_base:
            container.seek(int((start - 0.5) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            begins = frame.time if frame.pts is not None else None
            if begins is not None and begins >= end:
                break
            if begins is not None and begins + frame.samples / frame.sample_rate <= start:
                continue
            if offset is None:
                offset = min(begins - start, _MOST_SILENCE) if begins is not None else -start
            chunks += _resampled(resampler, frame)
            size += chunks[-1].nbytes if chunks else 0
            if size > most_bytes:
                raise _too_large(size, most_bytes)
        chunks += _resampled(resampler, None) if chunks else []
    except DAMAGE:
        is_cut = True
    samples = _joined(chunks, stream.codec_context.layout.nb_channels)
    shift = round((offset or 0.0) * rate)
    samples = np.pad(samples, ((0, 0), (shift, 0))) if shift > 0 else samples[:, -shift:]
    most = round((end - start) * rate) if np.isfinite(end) else samples.shape[1]
    return Sound(np.ascontiguousarray(samples[:, :most]), rate), is_cut


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> list[Samples]:
    return [np.asarray(each.to_ndarray(), np.float32) for each in resampler.resample(frame)]


def _joined(chunks: list[Samples], channels: int) -> Samples:
    return np.concatenate(chunks, axis=1) if chunks else np.zeros((channels, 0), np.float32)


def _check_whole(
    sound: Sound, start: float, stop: float, announced: float | None, name: str, path: Path
) -> None:
    """Refuse sound that ends early, of files whose headers know how long it is."""
    wanted = min(stop, announced or 0.0) - start
    exact = name.split(",")[0] in _EXACT
    if exact and sound.seconds < wanted - max(_SLACK, 0.01 * wanted):
        raise _cut_off(path, start, sound.seconds)


def _cut_off(path: Path, start: float, seconds: float) -> CutOffError:
    return CutOffError(
        f"is cut off or damaged: its sound can be read up to {start + seconds:.2f} s.",
        seconds,
        place=str(path),
        way_out=f"Read it with 'end' at {max(start + seconds - 0.05, 0):.2f} or less, or get the "
        "whole file.",
    )


def _check_size(seconds: float, rate: int, stream: AudioStream, most_bytes: int) -> None:
    size = int(seconds * rate * stream.codec_context.layout.nb_channels * 4)
    if size > most_bytes:
        raise _too_large(size, most_bytes)


def _too_large(size: int, most_bytes: int) -> ClipTooLargeError:
    return ClipTooLargeError(
        f"its sound would take {size / 2**30:.1f} GiB; {most_bytes / 2**30:.1f} GiB are read at "
        "once.",
        way_out="Read a part of it: set 'start' and 'end'.",
    )
