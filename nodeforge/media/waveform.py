"""Pictures of sounds: the range of the samples under each column of pixels."""

from __future__ import annotations

import itertools

import numpy as np

COLOUR = (74, 144, 226)
"""sRGB; over 3:1 against the panels of both themes."""
_QUIET = 1e-4
"""Amplitude below which a column is one line of pixels all the same."""


def peaks(samples: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest sample under each column.

    Args:
        samples: float, (channels, samples).
        columns: How many; more than there are samples repeat some.

    Returns:
        Two float32 arrays, (channels, columns); zeros where there is no sample.
    """
    channels, count = samples.shape
    if not count:
        nothing = np.zeros((channels, columns), np.float32)
        return nothing, nothing
    starts = np.minimum(np.arange(columns) * count // columns, count - 1)
    return np.minimum.reduceat(samples, starts, 1), np.maximum.reduceat(samples, starts, 1)


def waveform(samples: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture of a sound on a transparent ground, channels below one another.

    Args:
        samples: float, (channels, samples), about -1..1; louder ones are cut off.
        width: Pixels.
        height: Pixels.

    Returns:
        uint8 (height, width, 4), sRGB with alpha.
    """
    low, high = (np.clip(np.nan_to_num(part), -1, 1) for part in peaks(samples, width))
    picture = np.zeros((height, width, 4), np.uint8)
    picture[..., :3] = COLOUR
    edges = np.linspace(0, height, len(samples) + 1).round().astype(int)
    for channel, (top, bottom) in enumerate(itertools.pairwise(edges)):
        half = (bottom - top) / 2
        rows = np.arange(top, bottom)[:, None] + 0.5 - top
        first = half - np.maximum(high[channel], _QUIET) * half
        last = half - np.minimum(low[channel], -_QUIET) * half
        covered = (rows >= np.floor(first)) & (rows <= np.ceil(last))
        picture[top:bottom, :, 3] = covered * np.uint8(255)
    return picture
