"""Writes videos: MP4, WebM, lossless MKV, GIF, APNG and WebP, with sound and texts inside."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.error import BlockingIOError, EOFError, FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.video.format import VideoFormat as VideoPixels
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from nodeforge.media import animated_webp
from nodeforge.media.colours import Bytes, YuvColours, to_yuv
from nodeforge.media.errors import MediaError
from nodeforge.media.gif_text import gif_with_text
from nodeforge.media.sound import Sound
from nodeforge.media.sound_writing import SoundTrack, unwritten, whole_text
from nodeforge.media.timeline import RATE, rate_fraction

Check = Callable[[int, int], None]


class VideoFormat(StrEnum):
    """Kinds of files that videos are saved as."""

    MP4 = "mp4"
    WEBM = "webm"
    MKV = "mkv"
    GIF = "gif"
    APNG = "apng"
    WEBP = "webp"
    SEQUENCE = "png sequence"

    @property
    def suffix(self) -> str:
        """What its files end with; nothing for the folder of a sequence."""
        return "" if self is VideoFormat.SEQUENCE else f".{self.value}"

    @property
    def holds_sound(self) -> bool:
        return self in (VideoFormat.MP4, VideoFormat.WEBM, VideoFormat.MKV)


_MUXERS = {VideoFormat.MKV: "matroska"}
_LONGEST = {
    VideoFormat.MP4: 16_384,
    VideoFormat.WEBM: 16_384,
    VideoFormat.GIF: 65_535,
    VideoFormat.WEBP: animated_webp.LONGEST,
}
_FASTEST = {VideoFormat.GIF: 50.0, VideoFormat.WEBP: 1000.0}
"""Frames a second that players show: below 2/100 s they slow a GIF down."""
_KEY_FRAMES = {"g": "24"}
"""A key frame at least that often: a jump decodes from the last one (the encoders' own are 250
and 128 apart, and a jump took 100 ms of 121 frames of 832 x 480)."""
_SOUND = {VideoFormat.MP4: "aac", VideoFormat.WEBM: "libopus", VideoFormat.MKV: "pcm_f32le"}


def write_video(
    path: Path,
    frames: Bytes,
    rate: float,
    format: VideoFormat,
    sound: Sound | None = None,
    text: Mapping[str, str] | None = None,
    quality: int = 80,
    check: Check = lambda done, of: None,
) -> None:
    """Write a video.

    MP4 is H.264 with AAC, WebM VP9 with Opus, both in yuv420p, tagged BT.709 from 720 lines on and
    BT.601 below. MP4 has even sides: an odd one gets its last row or column twice. MKV is FFV1 in
    RGB with float samples, and APNG PNG: both keep every bit. GIF has 256 colours a frame.

    Args:
        path: A new file, whatever its name ends with; see `nodeforge.imaging.write_new`.
        frames: uint8, (frames, height, width, 3), sRGB.
        rate: Frames a second.
        format: Of the file.
        sound: Its sound, in formats that hold some; others are written without.
        text: Texts by name that the file carries, see `nodeforge.media.read_media_text`.
        quality: 1..100, of MP4, WebM and WebP; WebP loses nothing at 100.
        check: Called after each frame with how many are written and of how many; may raise.

    Raises:
        MediaError: the format cannot hold a video of this size or rate, or its encoder refuses it.
    """
    check_video(frames.shape[2], frames.shape[1], len(frames), rate, format)
    text = whole_text(text)
    counted = _counted(frames, check)
    if format is VideoFormat.WEBP:
        animated_webp.write(path, counted, rate, text, quality)
        return
    _encode(path, counted, frames.shape, rate, format, sound, text, quality)
    if format is VideoFormat.GIF:
        text[RATE] = repr(rate)
    if text and format in _TEXT_PUT_IN:
        data = path.read_bytes()
        with path.open("wb") as file:
            file.writelines(_TEXT_PUT_IN[format](memoryview(data), text))


def check_video(width: int, height: int, count: int, rate: float, format: VideoFormat) -> None:
    """Refuse what a format cannot hold, before anything is encoded.

    Raises:
        MediaError: it has no frames, or its size or rate are beyond the format's.
    """
    if count < 1:
        raise MediaError("the video has no frames.", way_out="Link one with frames.")
    longest = _LONGEST.get(format)
    if longest and max(width, height) > longest:
        raise MediaError(
            f"the video is {width} × {height} pixels; {format.upper()} holds up to {longest} along "
            "a side.",
            way_out="Save it as MKV, or resize it first.",
        )
    fastest = _FASTEST.get(format, 1000.0)
    if not 0.01 <= rate <= fastest:
        raise MediaError(
            f"the video has {rate:g} frames a second; {format.upper()} holds up to {fastest:g}.",
            way_out="Lower its rate with 'Change rate', or save it as MP4.",
        )


def _counted(frames: Bytes, check: Check) -> Iterator[Bytes]:
    for index, pixels in enumerate(frames):
        yield pixels
        check(index + 1, len(frames))


def _encode(
    path: Path,
    frames: Iterator[Bytes],
    shape: tuple[int, ...],
    rate: float,
    format: VideoFormat,
    sound: Sound | None,
    text: Mapping[str, str],
    quality: int,
) -> None:
    options = {"movflags": "use_metadata_tags+faststart"} if format is VideoFormat.MP4 else {}
    options |= {"plays": "0"} if format is VideoFormat.APNG else {}
    try:
        with av.open(
            str(path), "w", format=_MUXERS.get(format, format.value), options=options
        ) as out:
            if format not in _TEXT_PUT_IN:
                out.metadata.update(text)
            encoder = _Encoder(out, shape[2], shape[1], rate_fraction(rate), format, quality)
            track = SoundTrack(out, sound, _SOUND[format]) if sound and format.holds_sound else None
            for index, pixels in enumerate(frames):
                for packet in encoder.packets(pixels):
                    out.mux(packet)
                if track is not None:
                    track.write_until((index + 1) / rate)
            for packet in encoder.rest():
                out.mux(packet)
            if track is not None:
                track.finish()
    except FFmpegError as error:
        raise unwritten(error, format) from error


class _Encoder:
    """One stream of frames, in the codec of a format."""

    def __init__(
        self,
        out: OutputContainer,
        width: int,
        height: int,
        rate: Fraction,
        format: VideoFormat,
        quality: int,
    ) -> None:
        self._format, self._number = format, 0
        self._colours = YuvColours.of(height)
        self._reformatter = VideoReformatter()
        self._odd = (height % 2, width % 2) if format is VideoFormat.MP4 else (0, 0)
        self._graph: Graph | None = None
        name, pixels, options = _codec(format, quality)
        stream = out.add_stream(name, rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = width + self._odd[1], height + self._odd[0]
        stream.pix_fmt = pixels
        stream.time_base = stream.codec_context.time_base = 1 / rate
        if pixels == "yuv420p":
            context = stream.codec_context
            context.colorspace, context.color_range = self._colours.tag, ColorRange.MPEG
            context.color_primaries = self._colours.primaries
            context.color_trc = self._colours.transfer
        if format is VideoFormat.GIF:
            self._graph = _palette_graph(width, height, 1 / rate)
        self._stream, self._rate = stream, rate

    def packets(self, pixels: Bytes) -> list[Packet]:
        """What the encoder gives for one more frame (height, width, 3)."""
        frame = self._frame(pixels)
        frame.pts, frame.time_base = self._number, 1 / self._rate
        self._number += 1
        if self._graph is None:
            return self._stream.encode(frame)
        self._graph.push(frame)
        return self._paletted()

    def rest(self) -> list[Packet]:
        """What is still in the encoder."""
        made: list[Packet] = []
        if self._graph is not None:
            self._graph.push(None)
            made = self._paletted()
        return made + self._stream.encode(None)

    def _paletted(self) -> list[Packet]:
        made: list[Packet] = []
        while True:
            try:
                frame = self._graph.pull() if self._graph is not None else None
            except (BlockingIOError, EOFError):
                return made
            assert isinstance(frame, VideoFrame)
            made += self._stream.encode(frame)

    def _frame(self, pixels: Bytes) -> VideoFrame:
        if self._format in (VideoFormat.MP4, VideoFormat.WEBM):
            if any(self._odd):
                pixels = np.pad(pixels, ((0, self._odd[0]), (0, self._odd[1]), (0, 0)), "edge")
            return to_yuv(self._reformatter, pixels, self._colours)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
        return frame.reformat(format="bgr0") if self._format is VideoFormat.MKV else frame


def _codec(format: VideoFormat, quality: int) -> tuple[str, str, dict[str, str]]:
    """Encoder, pixel format and options."""
    match format:
        case VideoFormat.MP4:
            crf = str(round(51 - 0.4 * quality))
            return "libx264", "yuv420p", {"crf": crf, "preset": "medium", **_KEY_FRAMES}
        case VideoFormat.WEBM:
            crf = str(round(63 - 0.45 * quality))
            speed = {"deadline": "good", "cpu-used": "4", "row-mt": "1", "auto-alt-ref": "1"}
            return "libvpx-vp9", "yuv420p", {"crf": crf, "b": "0", **speed, **_KEY_FRAMES}
        case VideoFormat.MKV:
            return "ffv1", "bgr0", {"level": "3", "slicecrc": "1", "g": "1"}
        case VideoFormat.GIF:
            return "gif", "pal8", {}
        case _:
            return "apng", "rgb24", {"pred": "mixed"}


def _palette_graph(width: int, height: int, time_base: Fraction) -> Graph:
    """A palette of its own for each frame, so that none waits for the last one."""
    graph = Graph()
    source = graph.add_buffer(
        width=width, height=height, format=VideoPixels("rgb24"), time_base=time_base
    )
    split = graph.add("split")
    palette = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    use = graph.add("paletteuse", "new=1:dither=sierra2_4a")
    sink = graph.add("buffersink")
    source.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(use, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph


def _apng_with_text(data: memoryview, text: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """An APNG with an iTXt chunk for each text, as other PNG files have them.

    They stand behind acTL, which FFmpeg wants among the first.
    """
    head = 8
    while bytes(data[head + 4 : head + 8]) not in (b"fcTL", b"IDAT"):
        head += 12 + int.from_bytes(data[head : head + 4], "big")
    yield data[:head]
    for name, value in text.items():
        content = b"iTXt" + name.encode("latin-1", "replace") + b"\0\0\0\0\0" + value.encode()
        length, check = len(content) - 4, zlib.crc32(content)
        yield struct.pack(">I", length) + content + struct.pack(">I", check)
    yield data[head:]


_TEXT_PUT_IN = {VideoFormat.GIF: gif_with_text, VideoFormat.APNG: _apng_with_text}
"""Formats whose muxers write no texts."""
