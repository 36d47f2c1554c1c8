"""Filling before a generation, and the patch that comes of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.imaging import (
    Fill,
    apply,
    denoise_mask,
    fill,
    grow,
    match_surroundings,
    patch,
    shown,
    to_bytes,
)
from nodeforge.values import SizeMismatchError


def noise(width, height, channels=3, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels))
    return values.astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("how", Fill)
def test_nothing_outside_of_the_mask_is_filled(disc, how):
    picture, mask = noise(80, 60), disc(80, 60, 14)
    filled = fill(picture, mask, how)
    assert filled.shape == (60, 80, 3)
    assert np.array_equal(filled[mask == 0], picture[mask == 0])
    assert np.array_equal(filled, picture) is (how is Fill.ORIGINAL)


def test_each_fill_is_what_it_says(disc):
    y, x = np.mgrid[:64, :96].astype(np.float32)
    smooth = np.stack([x / 96, y / 64, (x + y) / 160], axis=-1)
    mask = disc(96, 64, 12)
    object_ = np.where(grow(mask, 2)[..., None] > 0, np.float32(1), smooth)
    inside = disc(96, 64, 6) > 0
    continued = fill(object_, grow(mask, 4), Fill.CONTINUE)
    assert np.abs(continued - smooth)[inside].mean() < 0.06
    for how in (Fill.NEUTRAL, Fill.NEUTRAL_HARD):
        assert np.allclose(fill(object_, mask, how)[inside], 0.5)
    assert fill(noise(96, 64), mask, Fill.BLUR)[inside].std() < 0.1


def test_a_weak_mask_keeps_the_original_to_change():
    picture = noise(40, 40)
    weak = np.full((40, 40), 0.5, np.float32)
    assert np.array_equal(fill(picture, weak, Fill.NEUTRAL), picture)


@pytest.mark.parametrize("how", Fill)
def test_what_is_transparent_is_filled_whatever_the_mask_says(how):
    picture = np.zeros((32, 48, 4), np.float32)
    picture[:, :24] = (0.2, 0.6, 0.4, 1)
    filled = fill(picture, np.zeros((32, 48), np.float32), how)
    assert np.array_equal(filled[:, :24], picture[:, :24, :3])
    wanted = 0.5 if how in (Fill.NEUTRAL, Fill.NEUTRAL_HARD) else (0.2, 0.6, 0.4)
    assert np.allclose(filled[:, 26:], wanted, atol=0.03)


@pytest.mark.parametrize("how", Fill)
def test_with_nothing_left_to_go_by_there_is_grey_and_no_failure(how):
    filled = fill(np.zeros((20, 30, 4), np.float32), np.ones((20, 30), np.float32), how)
    assert np.allclose(filled, 0.5)


def test_sizes_that_differ_are_refused():
    with pytest.raises(SizeMismatchError):
        fill(noise(20, 20), np.ones((10, 20), np.float32), Fill.BLUR)
    with pytest.raises(SizeMismatchError):
        patch(noise(20, 20), noise(20, 20), np.ones((10, 20), np.float32))
    with pytest.raises(SizeMismatchError):
        apply(to_bytes(noise(20, 20)), to_bytes(noise(10, 20, 4)))


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_a_model_may_change_at_least_the_mask_and_a_soft_edge(disc, strength):
    mask = disc(256, 256, 40)
    wide = denoise_mask(mask, strength, 256)
    assert (wide >= mask).all()
    row = wide[128, 128:]
    assert (np.diff(row) <= 1e-6).all()
    assert row[-1] == 0
    assert (wide > 0).sum() > (mask > 0).sum()


def test_a_weaker_change_needs_a_narrower_edge(disc):
    mask = disc(256, 256, 40)
    sizes = [(denoise_mask(mask, strength, 256) > 0).sum() for strength in (0.2, 0.6, 1.0)]
    assert sizes == sorted(sizes)


def test_a_soft_edge_goes_from_the_original_to_the_new_without_turning_back():
    mask = np.zeros((20, 100), np.float32)
    mask[:, 20:60] = np.linspace(0, 1, 40)
    mask[:, 60:] = 1
    alpha = shown(mask, 8)
    assert (np.diff(alpha[10]) >= 0).all()
    assert alpha[10, 0] == 0
    assert alpha[10, -1] == 1
    black, white = np.zeros((20, 100, 3), np.uint8), np.full((20, 100, 4), 255, np.uint8)
    white[..., 3] = to_bytes(alpha)
    assert (np.diff(apply(black, white)[10, :, 0].astype(int)) >= 0).all()


def test_a_small_spot_is_seen_beside_a_large_one():
    mask = np.zeros((100, 100), np.float32)
    mask[10:60, 10:60] = mask[80:85, 80:85] = 1
    alpha = shown(mask, 16)
    assert alpha[35, 35] == alpha[82, 82] == 1
    assert alpha[10, 35] < 0.1


def test_a_weak_mask_is_shown_whole_and_its_soft_edge_is_not():
    weak = np.full((40, 40), 0.3, np.float32)
    weak[:, :10] = 0
    assert shown(weak, 4)[20, 30] == 1


def test_what_was_empty_is_covered_at_once():
    original = np.zeros((30, 30, 4), np.float32)
    original[:, :15] = 1
    mask = np.zeros((30, 30), np.float32)
    mask[:, 15:] = 1
    made = patch(original, noise(30, 30), mask, radius=8)
    assert made[:, 15:, 3].min() == 1
    assert made[:, :15, 3].max() == 0


def test_a_drift_of_colour_is_taken_out_on_every_side(disc):
    original = np.full((96, 96, 3), (0.3, 0.5, 0.7), np.float32)
    x = np.linspace(-0.06, 0.06, 96, dtype=np.float32)[None, :, None]
    drifted = original + x
    mask = disc(96, 96, 30)
    matched = match_surroundings(drifted, original, mask)
    assert np.abs(drifted - original)[mask > 0].max() > 0.03
    assert np.abs(matched - original)[mask > 0].max() < 0.01


def test_contrast_inside_stays_on_a_plain_surrounding(disc):
    original = np.full((96, 96, 3), 0.5, np.float32)
    made = original + 0.02
    inside = disc(96, 96, 10) > 0
    made[inside] = 0.9
    matched = match_surroundings(made, original, disc(96, 96, 25))
    assert np.allclose(matched[inside], 0.88, atol=0.01)


def test_what_is_something_else_is_no_drift(disc):
    original = np.full((96, 96, 3), 0.2, np.float32)
    made = np.full((96, 96, 3), 0.9, np.float32)
    assert np.allclose(match_surroundings(made, original, disc(96, 96, 20)), made, atol=0.01)
    everywhere = np.ones((96, 96), np.float32)
    assert np.array_equal(match_surroundings(made, original, everywhere), made)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 9999), channels=st.sampled_from([3, 4]))
def test_a_byte_stays_where_a_patch_is_transparent(seed, channels):
    rng = np.random.default_rng(seed)
    original = rng.integers(0, 256, (9, 11, channels), np.uint8)
    over = rng.integers(0, 256, (9, 11, 4), np.uint8)
    over[..., 3] *= rng.integers(0, 2, (9, 11), np.uint8)
    made = apply(original, over)
    clear, opaque = over[..., 3] == 0, over[..., 3] == 255
    assert np.array_equal(made[clear], original[clear])
    assert np.array_equal(made[opaque][:, :3], over[opaque][:, :3])
