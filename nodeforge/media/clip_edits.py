"""Frames cut, joined, blended and laid side by side: uint8, (frames, height, width, 3).

One frame at a time is in float, never a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nodeforge import imaging
from nodeforge.imaging import BatchSizes, Fit, Method
from nodeforge.media.colours import Bytes
from nodeforge.media.errors import RangeError
from nodeforge.media.reading import check_clip
from nodeforge.media.timeline import MOST_RATE, TimeUnit
from nodeforge.values import SizeMismatchError


class SpeedChange(StrEnum):
    """What makes a clip faster or slower: other frames at its rate, or its frames at another."""

    KEEP_RATE = "keep rate"
    KEEP_FRAMES = "keep frames"


def frame_range(
    count: int, rate: float, start: float, end: float, unit: TimeUnit
) -> tuple[int, int]:
    """The first frame of a range, and the one after its last.

    Args:
        count: Frames there are.
        rate: Frames a second.
        start: Where it begins; negative counts from the end.
        end: Where it ends, not part of it; negative counts from the end, 0 is the end.
        unit: Of both.

    Raises:
        RangeError: no frame lies in it.
    """
    scale = rate if unit is TimeUnit.SECONDS else 1.0
    first = round(start * scale) + (count if start < 0 else 0)
    last = round(end * scale) + (count if end <= 0 else 0)
    first, last = max(0, first), min(last, count)
    if first >= last:
        raise RangeError(
            f"no frame lies from {start:g} to {end:g} {unit}: there are {count} frames, "
            f"{count / rate:.3f} s.",
            way_out="Choose a start before the end, within the clip; an end of 0 is its end.",
        )
    return first, last


def one_frame(count: int, number: int) -> int:
    """The index of a frame; a negative number counts from the end.

    Raises:
        RangeError: there is no such frame.
    """
    index = number + count if number < 0 else number
    if not 0 <= index < count:
        raise RangeError(
            f"there is no frame {number}: the video has {count}, counted from 0.",
            way_out=f"Choose one from {-count} to {count - 1}.",
        )
    return index


def resampled_frames(count: int, step: float) -> NDArray[np.intp]:
    """Indices of frames that are `step` frames apart, from the first to the last."""
    made = max(1, round(count / step))
    return np.minimum(((np.arange(made) + 0.5) * step).astype(np.intp), count - 1)


def check_rate(rate: float) -> None:
    """Refuse a rate that no clip has.

    Raises:
        RangeError: it is not above 0, or beyond `MOST_RATE`.
    """
    if not 0 < rate <= MOST_RATE:
        raise RangeError(
            f"{rate:g} frames a second is no rate of a video.",
            way_out=f"Choose one above 0, up to {MOST_RATE:g}.",
        )


def resized(frames: Bytes, width: int, height: int, fit: Fit, method: Method) -> Bytes:
    """Frames in another size; a side of 0 goes by the other in proportion.

    Raises:
        ClipTooLargeError: they would be too large.
    """
    count, tall, wide = frames.shape[:3]
    width, height = imaging.in_proportion((wide, tall), width, height)
    check_clip(count, width, height)
    made = np.empty((count, height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        made[index] = _fitted(frame, width, height, fit, method)
    return made


def _fitted(frame: Bytes, width: int, height: int, fit: Fit, method: Method) -> Bytes:
    if frame.shape[:2] == (height, width):
        return frame
    sized = imaging.resize_to(imaging.to_float(frame), width, height, fit, method)
    return imaging.to_bytes(sized)[..., :3]


def joined(clips: Sequence[Bytes], sizes: BatchSizes = BatchSizes.EQUAL, overlap: int = 0) -> Bytes:
    """Clips one after another, of the first one's size.

    Args:
        clips: Each (frames, height, width, 3).
        sizes: What becomes of frames of another size.
        overlap: Frames over which one fades into the next.

    Raises:
        SizeMismatchError: a size differs, and `sizes` is equal.
        RangeError: a clip is shorter than what it would overlap.
        ClipTooLargeError: they would be too large together.
    """
    if not clips:
        raise RangeError("there is no video.", way_out="Link at least one.")
    height, width = clips[0].shape[1:3]
    _check_sizes(clips, sizes)
    _check_overlap(clips, overlap)
    count = sum(map(len, clips)) - overlap * (len(clips) - 1)
    check_clip(count, width, height)
    made = np.empty((count, height, width, 3), np.uint8)
    at = 0
    for number, clip in enumerate(clips):
        for index, frame in enumerate(clip):
            frame = _fitted(frame, width, height, Fit(_FITS[sizes]), Method.LANCZOS)
            if number and index < overlap:
                frame = _mixed(made[at + index], frame, (index + 1) / (overlap + 1))
            made[at + index] = frame
        at += len(clip) - overlap
    return made


_FITS = {
    BatchSizes.EQUAL: Fit.STRETCH,
    BatchSizes.STRETCH: Fit.STRETCH,
    BatchSizes.CROP: Fit.CROP,
    BatchSizes.PAD: Fit.PAD,
}


def _check_sizes(clips: Sequence[Bytes], sizes: BatchSizes) -> None:
    height, width = clips[0].shape[1:3]
    for clip in clips[1:]:
        if clip.shape[1:3] != (height, width) and sizes is BatchSizes.EQUAL:
            raise SizeMismatchError(
                f"the first video is {width} × {height} pixels, another {clip.shape[2]} × "
                f"{clip.shape[1]}.",
                way_out="Let 'sizes' stretch, crop or pad it, or resize it first.",
            )


def _check_overlap(clips: Sequence[Bytes], overlap: int) -> None:
    ends = {0, len(clips) - 1}
    for number, clip in enumerate(clips):
        needed = overlap if number in ends else 2 * overlap
        if len(clips) > 1 and len(clip) < needed:
            raise RangeError(
                f"video {number + 1} has {len(clip)} frames; a crossfade of {overlap} needs "
                f"{needed} of it.",
                way_out="Make the crossfade shorter.",
            )


def _mixed(first: Bytes, second: Bytes, share: float) -> Bytes:
    """Two frames mixed, rounded; `share` is the second one's."""
    made = first.astype(np.float32)
    made += (second.astype(np.float32) - made) * np.float32(share)
    return np.rint(made).astype(np.uint8)


def spread(count: int, most: int) -> NDArray[np.intp]:
    """Indices of at most `most` frames, evenly spread from the first to the last."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(most, count))).astype(np.intp))
