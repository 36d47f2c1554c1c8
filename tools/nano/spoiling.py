"""What a judge of pictures must reject, and what must not matter to it."""

import cv2
import numpy as np

from tools.nano.pictures import Pixels

# Looked at: below the first everything is still known at sight, above the second few things are.
STILL_KNOWN, PAST_KNOWING = (0.004, 0.02), (0.045, 0.07)


def shrunk(picture: Pixels, share: float, again: int = cv2.INTER_LINEAR) -> Pixels:
    """Shrunk to that share of its side, and back."""
    side = picture.shape[0]
    small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=again), np.uint8)


def shrunk_by_chance(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Often to half, which is hardest to see; else to less."""
    again = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return shrunk(picture, 0.5 if rng.random() < 0.5 else rng.uniform(0.3, 0.54), again)


def warped(picture: Pixels, rng: np.random.Generator, pushes: tuple[float, float]) -> Pixels:
    """Outlines and faces pushed about, as by a model that has not learned the shape.

    `pushes` is the range of their spread, in sides of the picture.
    """
    side = picture.shape[0]
    cells = int(rng.integers(5, 10))
    coarse = rng.normal(0, side * rng.uniform(*pushes), (cells, cells, 2)).astype(np.float32)
    push = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    x, y = x + push[..., 0], y + push[..., 1]
    return np.asarray(
        cv2.remap(picture, x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE), np.uint8
    )


def mixed(picture: Pixels, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Parts of another thing show through."""
    side = picture.shape[0]
    cells = int(rng.integers(3, 7))
    noise = rng.normal(size=(cells, cells)).astype(np.float32)
    share = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    share = 1 / (1 + np.exp(-4 * share[..., None]))
    return (picture * (1 - share) + other * share).round().astype(np.uint8)


def nudged(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Another light, and a few pixels further: what must not matter."""
    across, down = rng.integers(-12, 13, 2)
    moved = cv2.warpAffine(
        picture,
        np.array([[1, 0, across], [0, 1, down]], np.float32),
        (picture.shape[1], picture.shape[0]),
        borderMode=cv2.BORDER_REPLICATE,
    )
    light = moved * rng.uniform(0.9, 1.1, 3) + rng.uniform(-10, 10)
    return light.round().clip(0, 255).astype(np.uint8)
