"""Pictures as numpy arrays: types, exact conversion to and from 8 bits, batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nodeforge.imaging.errors import EmptyBatchError
from nodeforge.values import SizeMismatchError

Pixels = NDArray[np.float32]
"""(height, width, channels) or, a mask, (height, width); 0..1."""

Bytes = NDArray[np.uint8]
"""The same with 0..255: value v is v / 255 exactly."""


def to_float(pixels: Bytes) -> Pixels:
    """8-bit pixels as float32: v / 255."""
    return pixels.astype(np.float32) / np.float32(255)


def to_bytes(pixels: Pixels | Bytes) -> Bytes:
    """float32 pixels as 8 bits, rounded to the nearest; `to_float` undone exactly.

    What lies outside of 0..1 is clipped, what is no number is 0.
    """
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    finite = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(np.clip(finite, 0, 1) * np.float32(255)).astype(np.uint8)


def with_alpha(pixels: Pixels) -> Pixels:
    """`pixels` with 4 channels; a missing alpha is opaque."""
    if pixels.shape[-1] == 4:
        return pixels
    return np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)


def on_black(pixels: Pixels) -> Pixels:
    """The colours of `pixels`, (height, width, 3), laid on black: what is hidden is black."""
    return pixels if pixels.shape[-1] == 3 else pixels[..., :3] * pixels[..., 3:]


def alike(first: Pixels, second: Pixels) -> tuple[Pixels, Pixels]:
    """Both with the same number of channels: with alpha as soon as one has it."""
    if first.shape[-1] == second.shape[-1]:
        return first, second
    return with_alpha(first), with_alpha(second)


def check_same_size(first: NDArray, second: NDArray) -> None:
    """Raise `SizeMismatchError`, naming both sizes, unless two pictures have one size."""
    if first.shape[:2] != second.shape[:2]:
        raise SizeMismatchError(
            f"one picture is {first.shape[1]} × {first.shape[0]} pixels, "
            f"the other {second.shape[1]} × {second.shape[0]}.",
            way_out="Resize or crop one of them first.",
        )


def each(function: Callable[..., Pixels], *batches: Pixels) -> Pixels:
    """`function` of every picture of a batch, stacked.

    Args:
        function: Takes one picture of each batch.
        batches: (batch, height, width[, channels]); a batch of one goes with every other.

    Raises:
        EmptyBatchError: a batch holds no picture.
        SizeMismatchError: the batches hold different numbers of pictures.
    """
    if not all(map(len, batches)):
        raise EmptyBatchError(
            "an input is an empty batch, without a picture.", way_out="Link one with pictures."
        )
    count = max(len(batch) for batch in batches)
    for batch in batches:
        if len(batch) not in (1, count):
            raise SizeMismatchError(
                f"one input holds {len(batch)} pictures, another {count}.",
                way_out="Give as many of one as of the other, or a single one.",
            )
    rows = (tuple(b[i if len(b) > 1 else 0] for b in batches) for i in range(count))
    return np.stack([np.asarray(function(*row), np.float32) for row in rows])
