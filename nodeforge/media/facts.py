"""What a video or sound file is, told by its header and its first frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from nodeforge.media import animated_webp
from nodeforge.media.colours import TRANSFERS, turn_of
from nodeforge.media.container import DAMAGE, audio_stream, damaged, open_media, video_stream
from nodeforge.media.timeline import neat_rate


@dataclass(frozen=True)
class AudioFacts:
    """The sound of a file.

    Args:
        codec: As FFmpeg names it: ``aac``, ``pcm_s24le``.
        rate: Samples a second.
        channels: How many.
        seconds: How long, as the header says; 0 where it does not.
    """

    codec: str
    rate: int
    channels: int
    seconds: float


@dataclass(frozen=True)
class VideoFacts:
    """The frames of a file.

    Args:
        container: As FFmpeg names it: ``mov,mp4,m4a,3gp,3g2,mj2``.
        codec: ``h264``, ``vp9``, ...
        width: Pixels as shown: turned, and of square pixels.
        height: The same.
        count: How many frames the header says, or its length and rate; 0 where nothing does.
        rate: Frames a second, on average.
        seconds: How long; 0 where the header does not say.
        rotation: Degrees against the clock by which stored frames are turned to be shown.
        bits: Of a channel, as stored.
        hdr: ``PQ`` or ``HLG``; empty for the usual range.
        audio: Its sound; None is none.
    """

    container: str
    codec: str
    width: int
    height: int
    count: int
    rate: float
    seconds: float
    rotation: int
    bits: int
    hdr: str
    audio: AudioFacts | None


def probe_video(path: Path) -> VideoFacts:
    """What the video at `path` is; its first frame is decoded.

    Raises:
        MissingStreamError: it has no video stream.
        MediaError: it cannot be read.
    """
    if animated_webp.is_webp(path):
        return _of_webp(path)
    with open_media(path) as container:
        stream = video_stream(container, path)
        frame = first_frame(container, stream, path)
        width, height = shown_size(frame, stream)
        seconds = _seconds(container, stream)
        rate = header_rate(stream)
        return VideoFacts(
            container.format.name,
            stream.codec_context.name,
            width,
            height,
            stream.frames or round(seconds * rate),
            rate,
            seconds,
            turn_of(frame).quarters * 90,
            max(each.bits for each in frame.format.components),
            TRANSFERS.get(int(frame.color_trc), ""),
            _audio_facts(container.streams.audio[0]) if container.streams.audio else None,
        )


def probe_audio(path: Path) -> AudioFacts:
    """What the sound at `path` is, of a sound file or a video.

    Raises:
        MissingStreamError: it has no sound.
        MediaError: it cannot be read.
    """
    with open_media(path) as container:
        return _audio_facts(audio_stream(container, path))


def first_frame(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    """The first frame that can be decoded; the container is wound back after it.

    Raises:
        MediaError: there is none.
    """
    try:
        frame = next(iter(container.decode(stream)), None)
        if frame is None:
            raise damaged(path, "it has no frame that can be decoded")
        container.seek(0)
    except DAMAGE as error:
        raise damaged(path, "its first frame cannot be decoded") from error
    return frame


def shown_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height as shown: with square pixels, turned as the display matrix says."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    width, height = frame.width, frame.height
    if aspect and aspect > 0 and aspect != 1:
        wide = aspect > 1
        width, height = (round(width * aspect), height) if wide else (width, round(height / aspect))
    return (height, width) if turn_of(frame).swaps_sides else (width, height)


def header_rate(stream: VideoStream) -> float:
    """Frames a second as the header says them; 25 where it says nothing."""
    found = stream.average_rate or stream.guessed_rate or stream.base_rate
    return neat_rate(float(found)) if found and found > 0 else 25.0


def _seconds(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def _audio_facts(stream: AudioStream) -> AudioFacts:
    context = stream.codec_context
    seconds = float((stream.duration or 0) * (stream.time_base or 0))
    return AudioFacts(context.name, context.sample_rate, context.layout.nb_channels, seconds)


def _of_webp(path: Path) -> VideoFacts:
    with animated_webp.opened(path) as picture:
        _, end, rate = animated_webp.timing_of(picture, path)
        width, height = picture.size
        count = max(1, round(end * rate))
        return VideoFacts("webp", "webp", width, height, count, rate, end, 0, 8, "", None)
