"""Makes video and sound files of every kind, by PyAV alone: what other programs write."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace


def numbered(count=12, width=64, height=48):
    """Frames whose grey says which one they are: 20 times the number, in a box at the top left."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:] = index * 20 % 240
        frame[: height // 2, : width // 2] = (240, 16, 16)  # marks the corner
    return frames


def numbers(frames):
    """Which frames these are, by the grey of their lower right."""
    return [
        round(float(f[f.shape[0] * 3 // 4 :, f.shape[1] * 3 // 4 :].mean()) / 20) for f in frames
    ]


def write(
    path: Path,
    frames,
    rate=24,
    codec="libx264",
    pix_fmt="yuv420p",
    times=None,
    sound=None,
    options=None,
    muxer_options=None,
    tags=None,
    sound_codec="aac",
):
    """A video; `times` are milliseconds of each frame, `sound` is (samples, rate)."""
    options = {"crf": "1", "g": "4"} if options is None else options
    with av.open(path, "w", options=muxer_options or {}) as out:
        stream = out.add_stream(codec, rate=Fraction(rate), options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pix_fmt
        base = Fraction(1, 1000) if times is not None else 1 / Fraction(rate)
        stream.codec_context.time_base = base
        context = stream.codec_context
        for name, value in (tags or {}).items():
            setattr(context, name, value)
        matrix = {1: Colorspace.ITU709, 9: Colorspace.BT2020}
        track = None
        if sound is not None:
            samples, hertz = sound
            layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[0]]
            track = out.add_stream(sound_codec, rate=hertz, layout=layout)
        for index, pixels in enumerate(frames):
            frame = VideoFrame.from_ndarray(pixels, "rgb24").reformat(
                format=pix_fmt,
                dst_colorspace=matrix.get((tags or {}).get("colorspace"), Colorspace.ITU601),
                src_color_range=ColorRange.JPEG,
                dst_color_range=(tags or {}).get("color_range", ColorRange.MPEG),
            )
            frame.pts = index if times is None else times[index]
            frame.time_base = base
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
        if track is not None:
            frame = AudioFrame.from_ndarray(samples, "fltp", layout)
            frame.sample_rate, frame.pts = hertz, 0
            for packet in (*(track.encode(frame) if samples.size else ()), *track.encode(None)):
                out.mux(packet)
    return path


def turned(path: Path, matrix):
    """Write a display matrix (a, b, c, d) into an MP4's first track, as phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (round(each * 65536) for each in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def tone(seconds=1.0, rate=44100, channels=2, hertz=440.0):
    """A sine of amplitude 0.5, softer in each further channel: float32 (channels, samples)."""
    now = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * hertz * now)
    return np.stack([wave / (1 + each) for each in range(channels)]).astype(np.float32)


def wav(path: Path, data: bytes, rate=44100, channels=1, bits=16, format=1):
    """A WAV file of given bytes, with whatever header is asked for."""
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", format, channels, rate, rate * block, block, bits)
    body = b"fmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    return path
