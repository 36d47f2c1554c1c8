"""Writes sound: into files of its own, and beside the frames of a video."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError

from nodeforge.media.errors import MediaError
from nodeforge.media.sound import Sound
from nodeforge.values.picture_lock import deflated

LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's layouts by the number of channels, in the order of WAV files."""
_CHUNK = 16_384
"""Samples that are encoded at once."""
_OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EFBIG, errno.EIO)
_OPUS_RATE = 48_000


class AudioFormat(StrEnum):
    """Kinds of files that sounds are saved as."""

    WAV = "wav"
    FLAC = "flac"
    OPUS = "opus"

    @property
    def suffix(self) -> str:
        return f".{self.value}"


class SampleDepth(StrEnum):
    """Bits of a sample in WAV and FLAC files."""

    BITS_16 = "16"
    BITS_24 = "24"
    FLOAT_32 = "32 float"


_PCM = {
    SampleDepth.BITS_16: "pcm_s16le",
    SampleDepth.BITS_24: "pcm_s24le",
    SampleDepth.FLOAT_32: "pcm_f32le",
}


def write_audio(
    path: Path,
    sound: Sound,
    format: AudioFormat,
    depth: SampleDepth = SampleDepth.BITS_24,
    text: Mapping[str, str] | None = None,
    bitrate: int = 128,
) -> None:
    """Write a sound file.

    Args:
        path: A new file, whatever its name ends with; see `nodeforge.imaging.write_new`.
        sound: What; samples beyond -1..1 are clipped, but in floats.
        format: Of the file.
        depth: Of WAV and FLAC; FLAC has no floats and takes 24 bits instead.
        text: Texts by name that the file carries, see `nodeforge.media.read_media_text`.
        bitrate: Of Opus, thousand bits a second.

    Raises:
        MediaError: it has no samples, or more channels than the format holds.
    """
    text = whole_text(text)
    codec, options, muxer = _codec(format, depth, bitrate)
    check_sound(sound)
    try:
        with av.open(str(path), "w", format=muxer) as out:
            if text and format is AudioFormat.WAV:
                out.metadata["comment"] = json.dumps(text)  # RIFF has a fixed set of names
            elif format is AudioFormat.FLAC:
                out.metadata.update(text)
            track = SoundTrack(out, sound, codec, options, text if muxer == "ogg" else {})
            track.finish()
    except FFmpegError as error:
        raise unwritten(error, format) from error


def unwritten(error: FFmpegError, format: str) -> Exception:
    """Why a file could not be written: the disk's reason, or the encoder's."""
    if error.errno in _OF_DISK:
        return OSError(error.errno, error.strerror)
    return MediaError(
        f"{format.upper()} cannot be written: {error.strerror}.",
        way_out="Choose another format, size or rate.",
    )


def whole_text(text: Mapping[str, str] | None) -> dict[str, str]:
    """`text` as containers hold it: the lock deflated, and a question mark for each half of a
    character, as names of files may hold.
    """
    text = deflated(text or {})
    return {name: value.encode("utf-8", "replace").decode() for name, value in text.items()}


def check_sound(sound: Sound) -> None:
    """Refuse sound that no file holds, before anything is encoded.

    Raises:
        MediaError: it has no samples, or too many channels.
    """
    channels, count = sound.samples.shape
    if not count:
        raise MediaError("the sound has no samples.", way_out="Link one that lasts longer.")
    if channels not in LAYOUTS:
        raise MediaError(
            f"the sound has {channels} channels; files hold up to {max(LAYOUTS)}.",
            way_out="Mix it to fewer channels first.",
        )


def _codec(
    format: AudioFormat, depth: SampleDepth, bitrate: int
) -> tuple[str, dict[str, str], str]:
    """Encoder, its options, and muxer."""
    match format:
        case AudioFormat.WAV:
            return _PCM[depth], {}, "wav"
        case AudioFormat.FLAC:
            return "flac", {"bits": "16" if depth is SampleDepth.BITS_16 else "24"}, "flac"
        case AudioFormat.OPUS:
            return "libopus", {"b": f"{bitrate}k"}, "ogg"


class SoundTrack:
    """A stream of sound in a file that is written.

    Args:
        out: The file.
        sound: All of the sound.
        codec: FFmpeg's encoder.
        options: Of the encoder; ``bits`` are those of a FLAC sample.
        text: Texts of the stream; Ogg has them there.
    """

    def __init__(
        self,
        out: OutputContainer,
        sound: Sound,
        codec: str,
        options: Mapping[str, str] | None = None,
        text: Mapping[str, str] | None = None,
    ) -> None:
        check_sound(sound)
        options = dict(options or {})
        bits = options.pop("bits", "")
        layout = LAYOUTS[sound.samples.shape[0]]
        rate = _encoder_rate(codec, sound.rate)
        stream = out.add_stream(codec, rate=rate, options=options, layout=layout)
        assert isinstance(stream, AudioStream)
        if bits:
            stream.codec_context.format = "s16" if bits == "16" else "s32"
        stream.metadata.update(text or {})
        self._out, self._stream, self._sound, self._layout = out, stream, sound, layout
        self._at = 0

    def write_until(self, seconds: float) -> None:
        """Write the samples before a time, so that sound and frames lie side by side."""
        until = min(round(seconds * self._sound.rate), self._sound.samples.shape[1])
        while self._at < until:
            part = self._sound.samples[:, self._at : min(self._at + _CHUNK, until)]
            samples = np.ascontiguousarray(part, np.float32)
            frame = AudioFrame.from_ndarray(samples, "fltp", self._layout)
            frame.sample_rate, frame.pts = self._sound.rate, self._at
            self._at += samples.shape[1]
            for packet in self._stream.encode(frame):
                self._out.mux(packet)

    def finish(self) -> None:
        """Write all that is left."""
        self.write_until(self._sound.seconds + 1)
        for packet in self._stream.encode(None):
            self._out.mux(packet)


def _encoder_rate(codec: str, rate: int) -> int:
    """The rate that an encoder takes: the sound's, or 48 kHz."""
    allowed = av.Codec(codec, "w").audio_rates
    return rate if not allowed or rate in allowed else _OPUS_RATE
