"""Small video and sound files, as other programs write them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image

RATE = 8000


def numbered(count: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Frames whose grey is ten times their number."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[:] = (np.arange(count, dtype=np.uint8) * 10)[:, None, None, None]
    return frames


def write_video(
    path: Path,
    frames: np.ndarray,
    rate: int = 10,
    codec: str = "libx264",
    times: list[int] | None = None,
    sound: float = 0.0,
) -> Path:
    """Write frames with a codec; `times` are their presentation times, counted in frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            if times is not None:
                frame.pts = times[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if audio is not None:
            samples = np.sin(np.arange(round(sound * RATE)) / 5)[None].astype(np.float32) / 2
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(audio.encode(frame))
            container.mux(audio.encode())
    return path


def write_sound(path: Path, codec: str, seconds: float = 0.5, channels: int = 1) -> Path:
    rate = 48000
    samples = np.sin(np.arange(round(seconds * rate)) / 20)[None].repeat(channels, 0) / 2
    layout = "mono" if channels == 1 else "stereo"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(samples.astype(np.float32), "fltp", layout)
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_moving_picture(path: Path, count: int = 5, milliseconds: int = 200) -> Path:
    """A GIF, APNG or WebP by its suffix."""
    images = [Image.fromarray(pixels) for pixels in numbered(count)]
    kind = {".gif": "GIF", ".apng": "PNG", ".png": "PNG", ".webp": "WEBP"}[path.suffix]
    options = {"lossless": True} if kind == "WEBP" else {}
    images[0].save(
        path, kind, save_all=True, append_images=images[1:], duration=milliseconds, **options
    )
    return path
