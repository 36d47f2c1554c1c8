"""What evaluation measures on pictures, in numpy and OpenCV alone."""

from collections.abc import Sequence

import cv2
import numpy as np

from tools.nano.pictures import Pixels
from tools.nano.scenes import COLOURS

FRAME = 8
TOLERANCE = 2


def to_lab(colours: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(colours.astype(np.float32)[None] / 255, cv2.COLOR_RGB2LAB)[0]


def background_colour(picture: Pixels) -> str:
    """The named colour nearest, in Lab, to the median of a frame along the edges."""
    inner = (slice(FRAME, -FRAME), slice(FRAME, -FRAME))
    outside = np.ones(picture.shape[:2], bool)
    outside[inner] = False
    seen = np.median(picture[outside], axis=0)
    known = to_lab(np.array(list(COLOURS.values()), np.float32))
    distance = np.linalg.norm(known - to_lab(seen[None]), axis=1)
    return list(COLOURS)[int(distance.argmin())]


def edge_f1(found: Pixels, wanted: Pixels) -> float:
    """Agreement of two edge maps, where an edge may lie two pixels off."""
    kernel = np.ones((2 * TOLERANCE + 1,) * 2, np.uint8)
    if not found.any() or not wanted.any():
        return 0.0
    precision = float((cv2.dilate(wanted, kernel)[found > 0] > 0).mean())
    recall = float((cv2.dilate(found, kernel)[wanted > 0] > 0).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def thumbnails(pictures: Sequence[Pixels], side: int = 32) -> np.ndarray:
    """(pictures, side * side * 3) in 0..1."""
    small = [cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in pictures]
    return np.stack(small).reshape(len(small), -1).astype(np.float32) / 255


def nearest_distances(pictures: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Root mean square difference of each thumbnail to the nearest known one."""
    squares = (pictures**2).sum(1)[:, None] + (known**2).sum(1) - 2 * pictures @ known.T
    return np.sqrt(np.maximum(squares.min(axis=1), 0) / pictures.shape[1])


def psnr(first: Pixels, second: Pixels) -> float:
    """In decibels, over 8-bit values."""
    return float(cv2.PSNR(first, second))


def steepest(picture: Pixels) -> float:
    """The 99th percentile of the brightness's slope, in levels a pixel."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    down, across = np.gradient(grey)
    return float(np.percentile(np.hypot(down, across), 99))


def steepness_kept(originals: Sequence[Pixels], drawn: Sequence[Pixels]) -> float:
    """Mean 99th percentile of the gradient, drawn over originals: 1 is as sharp."""
    return sum(map(steepest, drawn)) / sum(map(steepest, originals))


def mean_psnr(first: Sequence[Pixels], second: Sequence[Pixels]) -> float:
    return float(np.mean([psnr(a, b) for a, b in zip(first, second, strict=True)]))
