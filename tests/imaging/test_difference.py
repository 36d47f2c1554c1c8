"""What an edit changed is told apart from what it only disturbed."""

import cv2
import numpy as np
import pytest

from nodeforge.imaging import composite, difference_mask

SIDE = 160


def scene(rng: np.random.Generator) -> np.ndarray:
    """A smooth picture with some shapes, as cameras and models make."""
    small = rng.random((8, 8, 3), np.float32)
    made = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for _ in range(4):
        centre = tuple(int(place) for place in rng.integers(20, SIDE - 20, 2))
        cv2.circle(made, centre, int(rng.integers(6, 20)), rng.random(3).tolist(), -1, cv2.LINE_AA)
    return np.clip(made, 0, 1).astype(np.float32)


def drifted(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As an autoencoder gives it back: a little softer, of other colours, with fine noise."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.4)
    shift = rng.normal(0, 0.004, 3)
    noise = rng.normal(0, 0.006, picture.shape)
    return np.clip(soft + shift + noise, 0, 1).astype(np.float32)


def edited(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A thing is put in, or the colour of a place changed."""
    out = picture.copy()
    centre = tuple(int(place) for place in rng.integers(40, SIDE - 40, 2))
    colour = (picture[centre[1], centre[0]] + rng.uniform(0.3, 0.6)) % 1.0
    size = int(rng.integers(14, 34))
    if rng.random() < 0.5:
        cv2.circle(out, centre, size, colour.tolist(), -1, cv2.LINE_AA)
    else:
        cv2.rectangle(out, centre, (centre[0] + size, centre[1] + size), colour.tolist(), -1)
    return out


def test_what_changed_is_found_and_all_else_keeps_its_bytes():
    """95 % outside of what differs by more than 4 of 255 are kept, 95 % inside are the edit's."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        before = scene(rng)
        made = edited(before, rng)
        after = drifted(made, rng)
        mask = difference_mask(before, after)
        result = composite(before, after, mask)
        truth = np.abs(made - before).max(axis=-1) > 4 / 255
        near = cv2.dilate(truth.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        far = cv2.dilate(truth.astype(np.uint8), np.ones((35, 35), np.uint8)) > 0
        kept = (result == before).all(axis=-1)
        taken = (result == after).all(axis=-1)
        assert kept[~far].all(), seed
        assert kept[~near].mean() > 0.8, seed
        assert taken[truth].mean() > 0.95, (seed, taken[truth].mean())


def test_a_picture_that_only_drifted_is_kept_whole():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        before = scene(rng)
        assert not difference_mask(before, drifted(before, rng)).any(), seed
        assert not difference_mask(before, before).any()


def test_another_picture_everywhere_is_masked_everywhere():
    before = np.zeros((40, 60, 3), np.float32)
    assert difference_mask(before, before + 0.5).all()


@pytest.mark.parametrize(("threshold", "found"), [(0.05, True), (0.4, False)])
def test_a_given_threshold_is_kept(threshold, found):
    before = np.zeros((64, 64, 3), np.float32)
    after = before.copy()
    after[20:40, 20:40] = 0.3
    mask = difference_mask(before, after, threshold, 0, 0)
    assert mask.any() == found
    if found:
        assert mask[24:36, 24:36].all()
        assert not mask[:14].any()


def test_it_grows_and_fades_as_told():
    before = np.zeros((96, 96, 3), np.float32)
    after = before.copy()
    after[40:56, 40:56] = 1.0
    sharp = difference_mask(before, after, None, 0, 0)
    mask = difference_mask(before, after, None, 6, 5)
    assert (mask[sharp > 0] == 1).all()
    rows = np.flatnonzero(mask[:, 48])
    inner = np.flatnonzero(sharp[:, 48])
    assert inner[0] - rows[0] == 6 + 2 * 5 - 1 or inner[0] - rows[0] >= 10
    assert ((mask > 0) & (mask < 1)).any()
