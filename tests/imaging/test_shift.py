"""Shifts of a few pixels that edit models make, and taking them back."""

import cv2
import numpy as np
import pytest

from nodeforge.imaging import Shift, moved_back, picture_shift

RNG = np.random.default_rng(5)


def scene(seed=0, side=160):
    """Soft blobs and a few sharp things, as in a picture."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.random((side, side, 3)).astype(np.float32), (0, 0), 4)
    picture = (noise - noise.min()) / np.ptp(noise)
    for _ in range(6):
        centre = tuple(int(v) for v in rng.integers(20, side - 20, 2))
        colour = tuple(float(v) for v in rng.random(3))
        cv2.circle(picture, centre, int(rng.integers(6, 18)), colour, -1)
    return picture


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (-2, 3), (5, -4), (0, 12)])
@pytest.mark.parametrize("seed", range(4))
def test_a_shift_is_found_through_drift_and_an_edit(shift, seed):
    before = scene(seed)
    drift = RNG.normal(0, 2 / 255, before.shape).astype(np.float32)
    after = moved_back(before, Shift(-shift[0], -shift[1])) * 0.97 + 0.01 + drift
    cv2.rectangle(after, (60, 70), (100, 120), (0.9, 0.1, 0.2), -1)  # what was asked for
    assert picture_shift(before, after) == shift


def test_moving_back_gives_the_pixels_that_are_still_there():
    before = scene(9)
    after = np.roll(before, (3, -2), (0, 1))
    back = moved_back(after, picture_shift(before, after))
    assert np.array_equal(back[8:-8, 8:-8], before[8:-8, 8:-8])


@pytest.mark.parametrize("seed", range(3))
def test_another_picture_is_no_shift(seed):
    assert picture_shift(scene(seed), scene(seed + 10)) == (0, 0)


def test_flat_small_and_far_shifted_pictures_have_none():
    flat = np.full((120, 120, 3), 0.4, np.float32)
    assert picture_shift(flat, flat) == (0, 0)
    tiny = scene(1)[:20, :20]
    assert picture_shift(tiny, np.roll(tiny, 2, 1)) == (0, 0)
    wide = scene(2)
    assert picture_shift(wide, np.roll(wide, 40, 1)) == (0, 0)
