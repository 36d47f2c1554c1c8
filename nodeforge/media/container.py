"""Opens video and sound files with FFmpeg's demuxers; what is wrong becomes errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from nodeforge.media.errors import MediaError, MissingStreamError
from nodeforge.values.file_kinds import START, file_kind

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif", ".apng", ".webp", ".mpg", ".mpeg"),
    *(".ts", ".m2ts", ".mts", ".wmv", ".flv", ".ogv", ".3gp"),
)
"""What files of the videos that are read end with."""
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".opus", ".ogg", ".oga", ".mp3", ".m4a", ".aac", ".aiff", ".aif", ".caf"),
    *(".wma", ".mka", ".w64"),
)
"""What files of the sounds that are read end with."""

# No demuxer of playlists (HLS, DASH, concat), which would open other files and addresses.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,matroska,webm,avi,gif,apng,flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,ivf,asf,"
    "ogg,wav,w64,flac,mp3,aac,aiff,au,caf,ac3,eac3,wv,dv,mxf,nut"
)
_ISO = (b"ftyp", b"moov", b"mdat", b"wide", b"free")
"""Boxes that an MP4 or MOV begins with."""
_MOST_BOXES = 10_000
"""Boxes of an MP4 or chunks of a PNG that are looked at."""
_OPTIONS = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"}
RATES = (1_000, 768_000)
"""Samples a second that sound may have."""
DAMAGE = (FFmpegError, OSError, ValueError, EOFError)
"""What PyAV raises at damaged files; its own errors are also `OSError` or `ValueError`."""


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """The file at `path`, opened for reading.

    Raises:
        MediaError: it cannot be read, is empty, cut off, or something else.
    """
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise MediaError(
            f"cannot be read: {error.strerror}.",
            place=str(path),
            way_out="Choose a file that is there and may be read.",
        ) from error
    if (cut := _cut_index(path, start)) is not None:
        raise cut
    try:
        container = av.open(
            str(path.absolute()),
            "r",
            format="apng" if _is_apng(path, start) else None,  # texts before acTL hide it
            options=dict(_OPTIONS),
            metadata_errors="replace",
        )
    except DAMAGE as error:
        raise _unopened(path, start, error) from error
    with container:
        yield container


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream of frames; a cover picture in a sound file is none.

    Raises:
        MissingStreamError: there is none.
        MediaError: its codec is unknown, or its frames have no size.
    """
    streams = [
        each for each in container.streams.video if not each.disposition & Disposition.attached_pic
    ]
    if not streams:
        holds = "only sound" if container.streams.audio else "neither frames nor sound"
        raise MissingStreamError(
            f"has no video stream; it holds {holds}.",
            place=str(path),
            way_out="Choose a video, or read it with 'Load audio'."
            if container.streams.audio
            else "Choose a video.",
        )
    stream = max(streams, key=lambda each: bool(each.disposition & Disposition.default))
    if stream.codec_context is None:
        raise _unknown_codec("video", path)
    if not (stream.codec_context.width and stream.codec_context.height):
        raise damaged(path, "the size of its frames is not in it")
    stream.thread_type = "AUTO"
    return stream


def audio_stream(container: InputContainer, path: Path) -> AudioStream:
    """The stream of sound.

    Raises:
        MissingStreamError: there is none.
        MediaError: its codec is unknown, or its rate or channels are.
    """
    if not container.streams.audio:
        raise MissingStreamError(
            "has no sound.",
            place=str(path),
            way_out="Choose a sound file, or a video with sound.",
        )
    streams = container.streams.audio
    stream = max(streams, key=lambda each: bool(each.disposition & Disposition.default))
    if stream.codec_context is None:
        raise _unknown_codec("sound", path)
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.layout.nb_channels
    if not RATES[0] <= rate <= RATES[1] or channels < 1:
        raise damaged(path, f"its sound has {channels} channels of {rate} samples a second")
    return stream


def damaged(path: Path, fact: str) -> MediaError:
    """The error for a file that opens and cannot be read."""
    return MediaError(
        f"is damaged: {fact}.",
        place=str(path),
        way_out="Choose another file, or get this one again.",
    )


def _without_index(path: Path, kind: str) -> MediaError:
    return MediaError(
        f"is {kind or 'a video'}, but cut off: its index (moov atom) is missing or damaged.",
        place=str(path),
        way_out="Get the whole file again; without its index no frame can be found.",
    )


def _cut_index(path: Path, start: bytes) -> MediaError | None:
    """The error for an MP4 or MOV whose index ends with the file, which FFmpeg reads in part."""
    if start[4:8] not in _ISO:
        return None
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        for _ in range(_MOST_BOXES):
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                return None
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:], "big")
            if head[4:8] == b"moov" and at + length > size:
                return _without_index(path, file_kind(start, path.name))
            if length < 8:
                return None
            at += length
    return None


def _is_apng(path: Path, start: bytes) -> bool:
    """Whether a PNG says, before its first pixels, that it is an animation."""
    if not start.startswith(b"\x89PNG\r\n\x1a\n"):
        return False
    with path.open("rb") as file:
        at = 8
        for _ in range(_MOST_BOXES):
            file.seek(at)
            head = file.read(8)
            if len(head) < 8 or head[4:] in (b"IDAT", b"acTL"):
                return head[4:] == b"acTL"
            at += 12 + int.from_bytes(head[:4], "big")
    return False


def _unknown_codec(what: str, path: Path) -> MediaError:
    return MediaError(
        f"its {what} has a codec that FFmpeg cannot decode here.",
        place=str(path),
        way_out="Convert it to MP4 with H.264, or to WAV, in another program.",
    )


def _unopened(path: Path, start: bytes, error: Exception) -> MediaError:
    """Why a file cannot be opened, by what its first bytes say that it is."""
    place = str(path)
    kind = file_kind(start, path.name)
    if not start:
        return MediaError(
            "is empty: it has 0 bytes.",
            place=place,
            way_out="Get the file again, or choose another.",
        )
    if start[4:8] in _ISO and "picture" not in kind:
        return _without_index(path, kind)
    if kind.startswith(("a video", "a sound", "an Ogg")):
        reason = str(getattr(error, "strerror", "") or error).rstrip(".")
        return MediaError(
            f"is {kind}, but cut off or damaged: {reason}.",
            place=place,
            way_out="Get the file again, or choose another.",
        )
    way_out = (
        "Choose a video (MP4, MOV, WebM, MKV, GIF, ...) or a sound file (WAV, FLAC, MP3, ...)."
    )
    if "picture" in kind:
        way_out = "Read it with 'Load image', or choose a video or sound file."
    called = f"is {kind}, neither a video nor a sound" if kind else "is neither a video nor a sound"
    return MediaError(f"{called}.", place=place, way_out=way_out)
