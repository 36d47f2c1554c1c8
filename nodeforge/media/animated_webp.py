"""Animated WebP by Pillow: FFmpeg has no decoder for it, and its muxer writes no metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, WebPImagePlugin

from nodeforge.imaging.picture_files import text as texts
from nodeforge.media.colours import Bytes
from nodeforge.media.container import damaged
from nodeforge.media.timeline import RATE, Times, frame_rate, told_rate

LONGEST = 16_383
"""Pixels of a side."""
_STILL = 24.0
"""Frames a second of a picture that is no animation."""
_DAMAGE = (OSError, ValueError, EOFError, SyntaxError, RuntimeError)


def is_webp(path: Path) -> bool:
    """Whether the file at `path` is a WebP; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start[:4] == b"RIFF" and start[8:] == b"WEBP"


@contextmanager
def opened(path: Path) -> Iterator[WebPImagePlugin.WebPImageFile]:
    """The picture at `path`.

    Raises:
        MediaError: it is damaged.
    """
    try:
        picture = Image.open(path, formats=["WEBP"])
    except _DAMAGE as error:
        raise damaged(path, "it is a WebP picture that cannot be decoded") from error
    with picture:
        assert isinstance(picture, WebPImagePlugin.WebPImageFile)
        yield picture


def timing_of(picture: WebPImagePlugin.WebPImageFile, path: Path) -> tuple[Times, float, float]:
    """When each frame begins, seconds, when the last ends, and frames a second.

    Raises:
        MediaError: a frame cannot be decoded.
    """
    begins, now = [], 0.0
    try:
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            picture.load()
            begins.append(now)
            now += int(picture.info.get("duration", 0)) / 1000
    except _DAMAGE as error:
        raise damaged(path, f"its frame {len(begins)} cannot be decoded") from error
    times, told = np.array(begins), told_rate(texts.read_text(path))
    end = now or 1 / (told or _STILL)
    return times, end, frame_rate(times, end, told, 0.5)[0]


def frames_of(
    picture: WebPImagePlugin.WebPImageFile, indices: Iterable[int], size: tuple[int, int]
) -> Iterator[Bytes]:
    """The frames of rising `indices`, uint8 (height, width, 3), of a size (width, height)."""
    for index in indices:
        picture.seek(index)
        frame = picture.convert("RGB")
        if frame.size != size:
            frame = frame.resize(size, Image.Resampling.LANCZOS)
        yield np.asarray(frame)


def write(
    path: Path, frames: Iterable[Bytes], rate: float, text: Mapping[str, str], quality: int
) -> None:
    """Write an animation that repeats; at quality 100 it loses nothing.

    Args:
        path: A new file.
        frames: uint8 (height, width, 3) each.
        rate: Frames a second; WebP counts in milliseconds.
        text: Texts by name that the file carries.
        quality: 1..100.
    """
    pictures = map(Image.fromarray, frames)
    first = next(pictures)
    text = {**text, RATE: repr(rate)}
    first.save(
        path,
        "WEBP",
        save_all=True,
        append_images=pictures,
        duration=1000 / rate,
        loop=0,
        lossless=quality == 100,
        exact=True,
        quality=quality,
        method=2,
        exif=texts.exif(text),
        xmp=texts.xmp(text),
    )
