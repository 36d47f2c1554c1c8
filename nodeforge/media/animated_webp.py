"""Animated WebP: FFmpeg has no decoder for it, and its muxer writes no metadata.

Pillow reads them, and encodes single frames. Its own writer of animations keeps all frames in
memory, so the container is written here: RIFF with ``VP8X``, ``ANIM`` and an ``ANMF`` for each
frame (Google's *WebP Container Specification*; RFC 9649).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, WebPImagePlugin

from nodeforge.imaging.picture_files import text as texts
from nodeforge.media.colours import Bytes
from nodeforge.media.container import damaged
from nodeforge.media.errors import MediaError
from nodeforge.media.timeline import RATE, Times, frame_rate, told_rate

LONGEST = 16_383
"""Pixels of a side."""
_STILL = 24.0
"""Frames a second of a picture that is no animation."""
_LARGEST = 2**32 - 2
"""Bytes of a RIFF file."""
_ANIMATION, _XMP, _EXIF = 0x02, 0x04, 0x08
"""Flags of ``VP8X``."""
_OVERWRITE = 0x02
"""Flag of a frame: it is not blended with what lies under it."""
_EXIF_MARK = b"Exif\0\0"
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

    Frames are written as they come, each as the smallest rectangle that holds what has changed.

    Args:
        path: A new file.
        frames: uint8 (height, width, 3) each, all of a size; at least one.
        rate: Frames a second; WebP counts in milliseconds.
        text: Texts by name that the file carries.
        quality: 1..100.

    Raises:
        MediaError: the file would be larger than 4 GiB, which RIFF cannot hold.
    """
    text = {**text, RATE: repr(rate)}
    exif, xmp = texts.exif(text).removeprefix(_EXIF_MARK), texts.xmp(text)
    frames = iter(frames)
    before = next(frames)
    height, width = before.shape[:2]
    flags = _ANIMATION | _XMP | (_EXIF if exif else 0)
    with path.open("wb") as file:
        file.write(b"RIFF\0\0\0\0WEBP")
        file.write(_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + _24(width - 1, height - 1)))
        file.write(_chunk(b"ANIM", bytes(6)))  # a transparent ground, repeated for ever
        file.write(_frame(before, (0, 0), _milliseconds(0, rate), quality))
        for number, frame in enumerate(frames, 1):
            top, bottom, left, right = _changed(before, frame)
            part = frame[top:bottom, left:right]
            made = _frame(part, (left, top), _milliseconds(number, rate), quality)
            if file.tell() + len(made) + len(exif) + len(xmp) + 32 > _LARGEST:
                raise MediaError(
                    f"the video takes more than 4 GiB up to frame {number + 1}, which WebP cannot "
                    "hold.",
                    way_out="Save it as MKV, or resize it first.",
                )
            file.write(made)
            before = frame
        file.write(_chunk(b"EXIF", exif) if exif else b"")
        file.write(_chunk(b"XMP ", xmp))
        size = file.tell() - 8
        file.seek(4)
        file.write(size.to_bytes(4, "little"))


def _frame(pixels: Bytes, place: tuple[int, int], milliseconds: int, quality: int) -> bytes:
    """An ``ANMF`` chunk of pixels (height, width, 3), at an even place (left, top)."""
    single = io.BytesIO()
    Image.fromarray(pixels).save(
        single, "WEBP", lossless=quality == 100, exact=True, quality=quality, method=2
    )
    height, width = pixels.shape[:2]
    left, top = place
    head = _24(left // 2, top // 2, width - 1, height - 1, milliseconds) + bytes((_OVERWRITE,))
    return _chunk(b"ANMF", head + single.getbuffer()[12:])


def _changed(before: Bytes, after: Bytes) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what differs; from even places, and never empty."""
    differs = (before != after).any(axis=2)
    (top, bottom), (left, right) = (_extent(differs.any(axis=axis)) for axis in (1, 0))
    return top, bottom, left, right


def _extent(differs: np.ndarray) -> tuple[int, int]:
    found = np.flatnonzero(differs)
    return (int(found[0]) // 2 * 2, int(found[-1]) + 1) if len(found) else (0, 1)


def _milliseconds(number: int, rate: float) -> int:
    """How long a frame lasts, so that none drifts from its time."""
    begin, end = (round(each * 1000 / rate) for each in (number, number + 1))
    return end - begin


def _24(*values: int) -> bytes:
    return b"".join(value.to_bytes(3, "little") for value in values)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A RIFF chunk, padded to an even size."""
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
