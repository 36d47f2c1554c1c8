"""Plain pictures, and pictures beside each other or in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from nodeforge.imaging.arrays import Pixels, with_alpha
from nodeforge.imaging.errors import EmptyBatchError, PictureTooLargeError
from nodeforge.imaging.geometry import Fit, Method, resize, resize_to
from nodeforge.imaging.picture_files.decode import MOST_PIXELS
from nodeforge.values import SizeMismatchError


class Side(StrEnum):
    """Where the second of two pictures goes."""

    RIGHT = "right"
    BELOW = "below"
    LEFT = "left"
    ABOVE = "above"


class Align(StrEnum):
    """Where the smaller of two pictures lies beside the larger one."""

    START = "start"
    CENTRE = "centre"
    END = "end"


class BatchSizes(StrEnum):
    """What becomes of pictures of other sizes than the first in a batch."""

    EQUAL = "equal"
    STRETCH = "stretch"
    CROP = "crop"
    PAD = "pad"


def check_pixels(width: int, height: int, count: int = 1) -> None:
    """Refuse pictures that would be larger together than one file may be.

    Raises:
        PictureTooLargeError: they have more pixels.
    """
    if width * height * count > MOST_PIXELS:
        several = f"{count:,} pictures of " if count > 1 else ""
        raise PictureTooLargeError(
            f"{several}{width:,} × {height:,} pixels are more than the "
            f"{MOST_PIXELS / 1e6:.0f} million that are made at once.",
            way_out="Make it smaller, or of fewer pictures.",
        )


def plain(
    width: int, height: int, colour: Sequence[float], opacity: float = 1.0, count: int = 1
) -> Pixels:
    """Pictures of one colour: (count, height, width, 3), or 4 where they are not opaque.

    Raises:
        PictureTooLargeError: they would be too large.
    """
    check_pixels(width, height, count)
    value = (*colour, opacity) if opacity < 1 else tuple(colour)
    return np.broadcast_to(np.asarray(value, np.float32), (count, height, width, len(value))).copy()


def batched(batches: Sequence[Pixels], sizes: BatchSizes = BatchSizes.EQUAL) -> Pixels:
    """All pictures of all batches in one, of the first one's size; with alpha if one has it.

    Args:
        batches: Each (count, height, width, 3 or 4).
        sizes: What becomes of pictures of another size.

    Raises:
        EmptyBatchError: there is no picture.
        SizeMismatchError: a size differs, and `sizes` is equal.
        PictureTooLargeError: they would be too large together.
    """
    pictures = [picture for batch in batches for picture in batch]
    if not pictures:
        raise EmptyBatchError("there is no picture.", way_out="Link at least one.")
    height, width = pictures[0].shape[:2]
    check_pixels(width, height, len(pictures))
    fitted = [_fitted(picture, width, height, sizes) for picture in pictures]
    if any(picture.shape[2] == 4 for picture in fitted):
        fitted = [with_alpha(picture) for picture in fitted]
    return np.stack(fitted)


def _fitted(picture: Pixels, width: int, height: int, sizes: BatchSizes) -> Pixels:
    if picture.shape[:2] == (height, width):
        return picture
    if sizes is BatchSizes.EQUAL:
        raise SizeMismatchError(
            f"the first picture is {width} × {height} pixels, another "
            f"{picture.shape[1]} × {picture.shape[0]}.",
            way_out="Let 'sizes' stretch, crop or pad it, or resize it first.",
        )
    return resize_to(picture, width, height, Fit(sizes.value), Method.LANCZOS)


def sliced(batch: Pixels, start: int, count: int) -> Pixels:
    """Pictures of a batch that follow one another.

    Args:
        start: The first one, counted from 0; a negative number counts from the end, -1 the last.
        count: How many; 0 is all that follow. Beyond the last there is none.

    Raises:
        EmptyBatchError: the batch has no such picture.
    """
    first = start + len(batch) if start < 0 else start
    if not 0 <= first < len(batch):
        raise EmptyBatchError(
            f"there is no picture {start}: the batch holds {len(batch)}, counted from 0.",
            way_out=f"Choose one from {-len(batch)} to {len(batch) - 1}."
            if len(batch)
            else "Link a batch with pictures.",
        )
    return batch[first : first + count if count else None]


def repeated(batch: Pixels, times: int) -> Pixels:
    """The whole batch several times, one after another.

    Raises:
        PictureTooLargeError: they would be too large together.
    """
    check_pixels(batch.shape[2], batch.shape[1], len(batch) * times)
    return np.concatenate([batch] * times)


def stitch(
    first: Pixels,
    second: Pixels,
    side: Side = Side.RIGHT,
    align: Align = Align.CENTRE,
    gap: int = 0,
    colour: Sequence[float] = (0, 0, 0),
    *,
    same_size: bool = True,
) -> Pixels:
    """Two pictures side by side, or one above the other.

    Args:
        first: (height, width, 3 or 4).
        second: Likewise, of any size.
        side: Where the second one goes.
        align: Where the smaller one lies, if they stay different: start is above or left.
        gap: Pixels between them.
        colour: RGB, 0..1, of the gap and of what neither covers; opaque.
        same_size: Resize the second one to the first one's height, or width, in proportion.

    Raises:
        PictureTooLargeError: the picture would be too large.
    """
    beside = side in (Side.RIGHT, Side.LEFT)
    if same_size:
        second = _as_long(second, first.shape[0 if beside else 1], 0 if beside else 1)
    pair = [second, first] if side in (Side.LEFT, Side.ABOVE) else [first, second]
    if any(picture.shape[2] == 4 for picture in pair):
        pair = [with_alpha(picture) for picture in pair]
    if not beside:
        pair = [picture.transpose(1, 0, 2) for picture in pair]
    out = _beside(pair, align, gap, colour)
    return out if beside else np.ascontiguousarray(out.transpose(1, 0, 2))


def _as_long(picture: Pixels, length: int, axis: int) -> Pixels:
    """`picture` resized in proportion, so that it is `length` long along `axis`."""
    other = max(1, round(picture.shape[1 - axis] * length / picture.shape[axis]))
    width, height = (other, length) if axis == 0 else (length, other)
    check_pixels(width, height)
    return resize(picture, width, height, Method.LANCZOS)


def _beside(pair: Sequence[Pixels], align: Align, gap: int, colour: Sequence[float]) -> Pixels:
    height = max(picture.shape[0] for picture in pair)
    width = sum(picture.shape[1] for picture in pair) + gap
    check_pixels(width, height)
    value = (*colour, 1.0)[: pair[0].shape[2]]
    out = np.broadcast_to(np.asarray(value, np.float32), (height, width, len(value))).copy()
    left = 0
    for picture in pair:
        free = height - picture.shape[0]
        top = {Align.START: 0, Align.CENTRE: free // 2, Align.END: free}[align]
        out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + gap
    return out
