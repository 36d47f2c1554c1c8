import cv2
import numpy as np
import pytest

from nodeforge.imaging import (
    Box,
    Combine,
    bounding_box,
    combine,
    feather,
    feather_inside,
    from_alpha,
    from_colour,
    grow,
    invert,
    to_bytes,
    to_float,
)


def distance_from(mask):
    """Pixels to the nearest masked one."""
    free = (mask <= 0).astype(np.uint8)
    return cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def test_inverting_twice_gives_the_same_8_bit_values():
    every = to_float(np.arange(256, dtype=np.uint8))[None]
    assert np.array_equal(to_bytes(invert(invert(every))), to_bytes(every))


@pytest.mark.parametrize("pixels", [1, 5, 12, 19])
def test_growing_reaches_about_so_many_pixels_and_no_farther(disc, pixels):
    mask = disc(80, 80, 3)
    grown = grow(mask, pixels)
    away = distance_from(mask)
    assert grown[away <= max(0, 0.85 * pixels - 1)].min() == 1
    assert grown[away > 1.05 * pixels + 0.5].max() == 0


def test_shrinking_undoes_growing_inside(disc):
    mask = disc(60, 60, 10)
    assert np.abs(grow(grow(mask, 6), -6) - mask).sum() < 0.1 * mask.sum()
    assert np.array_equal(grow(mask, 0), mask)


def test_a_mask_at_the_border_does_not_shrink_there():
    assert grow(np.ones((9, 9), np.float32), -3).min() == 1


@pytest.mark.parametrize("radius", [1, 4, 15])
def test_feathering_leaves_0_far_outside_and_1_deep_inside(disc, radius):
    mask = disc(120, 120, 30)
    soft = feather(mask, radius)
    assert soft[distance_from(mask) > radius * 1.5].max() == 0
    assert soft[distance_from(1 - mask) > radius * 1.5].min() == 1
    assert 0 <= soft.min() <= soft.max() <= 1


@pytest.mark.parametrize("soften", [feather, feather_inside])
@pytest.mark.parametrize("radius", [1, 3, 10, 25])
def test_a_feathered_edge_never_rises_on_the_way_out(soften, radius):
    mask = np.zeros((5, 100), np.float32)
    mask[:, :50] = 1
    assert (np.diff(soften(mask, radius), axis=1) <= 1e-6).all()


@pytest.mark.parametrize("radius", [0, 1, 5, 40])
def test_feathering_inside_keeps_every_zero(disc, radius):
    mask = disc(50, 50, 12) * np.float32(0.8)
    soft = feather_inside(mask, radius)
    assert soft[mask == 0].max() == 0
    assert (soft <= mask).all()
    assert soft.max() > 0


def test_masks_are_combined(disc):
    small, large = disc(radius=4), disc(radius=8)
    assert np.array_equal(combine(small, large, Combine.ADD), large)
    assert np.array_equal(combine(small, large, Combine.INTERSECT), small)
    assert combine(small, large, Combine.SUBTRACT).max() == 0
    assert combine(large, small, Combine.SUBTRACT).sum() == large.sum() - small.sum()


def test_a_mask_is_made_from_a_colour_or_from_transparency():
    pixels = to_float(np.array([[[10, 20, 30, 255], [12, 20, 30, 0]]], np.uint8))
    colour = to_float(np.array([10, 20, 30], np.uint8))
    assert from_colour(pixels, colour, 0).tolist() == [[1, 0]]
    assert from_colour(pixels[..., :3], colour, 2 / 255).tolist() == [[1, 1]]
    assert from_colour(pixels, colour, 2 / 255).tolist() == [[1, 0]]  # nothing has no colour
    assert from_alpha(pixels).tolist() == [[0, 1]]
    assert from_alpha(pixels[..., :3]).max() == 0


def test_the_box_around_a_mask_is_the_smallest():
    mask = np.zeros((20, 30), np.float32)
    assert bounding_box(mask) is None
    mask[5, 7] = mask[11, 20] = 0.001
    assert bounding_box(mask) == Box(7, 5, 14, 7)
