import numpy as np
import pytest

from nodeforge.imaging import (
    BlendMode,
    adjust,
    blend,
    composite,
    edges,
    match_colour,
    to_bytes,
)
from nodeforge.values import SizeMismatchError


@pytest.mark.parametrize("mode", list(BlendMode))
def test_opacity_0_keeps_every_bit_of_the_base(picture, mode):
    base = picture(seed=1)
    assert np.array_equal(blend(base, picture(seed=2), mode, 0), base)


@pytest.mark.parametrize("mode", list(BlendMode))
def test_every_mode_stays_within_range_and_leaves_its_inputs_alone(picture, mode):
    base, over = picture(seed=1), picture(seed=2)
    before = base.copy(), over.copy()
    made = blend(base, over, mode, 0.7)
    assert 0 <= made.min() <= made.max() <= 1
    assert made.dtype == np.float32
    assert np.array_equal(base, before[0])
    assert np.array_equal(over, before[1])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (BlendMode.NORMAL, 0.5),
        (BlendMode.MULTIPLY, 0.125),
        (BlendMode.SCREEN, 0.625),
        (BlendMode.OVERLAY, 0.25),
        (BlendMode.HARD_LIGHT, 0.25),
        (BlendMode.SOFT_LIGHT, 0.25),
        (BlendMode.DARKEN, 0.25),
        (BlendMode.LIGHTEN, 0.5),
        (BlendMode.DIFFERENCE, 0.25),
        (BlendMode.ADD, 0.75),
        (BlendMode.SUBTRACT, 0.0),
    ],
)
def test_modes_follow_their_formulas(mode, expected):
    base, over = (np.full((1, 1, 3), value, np.float32) for value in (0.25, 0.5))
    assert blend(base, over, mode, 1)[0, 0, 0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("mode", "base", "over", "expected"),
    [
        # by hand: Lum(base) 0.545, Sat(base) 0.5; red of that saturation is (0.5, 0, 0)
        (BlendMode.HUE, (0.25, 0.75, 0.25), (1, 0, 0), (0.895, 0.395, 0.395)),
        (BlendMode.HUE, (0.25, 0.75, 0.0), (1, 0, 0), (1, 0.310714, 0.310714)),
        (BlendMode.COLOUR, (0.5, 0.5, 0.5), (1, 0, 0), (1, 0.285714, 0.285714)),
        (BlendMode.COLOUR, (0.1, 0.1, 0.1), (1, 0, 0), (0.333333, 0, 0)),
        (BlendMode.SATURATION, (0.25, 0.75, 0.5), (0.3, 0.3, 0.3), (0.5725, 0.5725, 0.5725)),
        (BlendMode.SATURATION, (0.4, 0.4, 0.4), (1, 0, 0), (0.4, 0.4, 0.4)),
        (BlendMode.LUMINOSITY, (1, 0, 0), (0, 0, 0), (0, 0, 0)),
        (BlendMode.LUMINOSITY, (1, 0, 0), (1, 1, 1), (1, 1, 1)),
        (BlendMode.LUMINOSITY, (0.5, 0.4, 0.3), (0.6, 0.6, 0.6), (0.681, 0.581, 0.481)),
    ],
)
def test_whole_colours_mix_by_the_specification(mode, base, over, expected):
    """Non-separable modes of W3C Compositing and Blending Level 1, section 10.2."""
    below, above = (np.array([[colour]], np.float32) for colour in (base, over))
    assert blend(below, above, mode, 1)[0, 0] == pytest.approx(expected, abs=1e-5)


def test_alpha_of_the_upper_picture_counts_like_opacity(picture):
    base, over = picture(seed=1), picture(channels=4, seed=2)
    over[..., 3] = 0
    assert np.array_equal(blend(base, over, BlendMode.NORMAL, 1), base)


def test_a_composite_is_exact_where_the_mask_is_0_or_1(picture):
    base, over = picture(30, 30, seed=1), picture(30, 30, seed=2)
    mask = np.random.default_rng(0).choice([0, 0.5, 1], (30, 30)).astype(np.float32)
    made = composite(base, over, mask)
    assert np.array_equal(made[mask == 0], base[mask == 0])
    assert np.array_equal(made[mask == 1], over[mask == 1])


def test_what_is_transparent_lends_no_colour():
    clear = np.zeros((1, 1, 4), np.float32)
    red = np.array([[[1, 0, 0, 1]]], np.float32)
    half = np.full((1, 1), 0.5, np.float32)
    assert composite(clear, red, half)[0, 0].tolist() == [1, 0, 0, 0.5]
    made = blend(clear, red, BlendMode.MULTIPLY, 0.5)
    assert made[0, 0].tolist() == [1, 0, 0, 0.5]


def test_sizes_that_differ_are_both_named(picture):
    with pytest.raises(SizeMismatchError, match="5 × 4 pixels, the other 6 × 4"):
        blend(picture(5, 4), picture(6, 4), BlendMode.NORMAL, 1)


def test_adjusting_nothing_keeps_every_bit(picture):
    pixels = picture(channels=4)
    assert np.array_equal(adjust(pixels), pixels)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue", "gamma"])
def test_each_adjustment_changes_colours_but_not_alpha(picture, name):
    pixels = picture(channels=4)
    made = adjust(pixels, **{name: 0.4})
    assert not np.array_equal(made[..., :3], pixels[..., :3])
    assert np.array_equal(made[..., 3], pixels[..., 3])
    assert 0 <= made.min() <= made.max() <= 1


def test_a_third_of_the_colour_circle_turns_red_to_green():
    red = np.zeros((1, 1, 3), np.float32)
    red[..., 0] = 1
    assert adjust(red, hue=120)[0, 0].tolist() == pytest.approx([0, 1, 0], abs=1e-5)
    assert adjust(red, saturation=0)[0, 0] == pytest.approx(0.2126, abs=1e-5)


def test_matching_brings_the_mean_to_the_reference():
    rng = np.random.default_rng(0)
    pixels = (0.4 + 0.1 * rng.random((32, 32, 3))).astype(np.float32)
    wanted = (pixels * 0.8 + 0.1 * np.array([1, 0.5, 0])).astype(np.float32)
    made = match_colour(pixels, wanted)
    assert np.abs(made.mean((0, 1)) - wanted.mean((0, 1))).max() < 0.004
    assert np.array_equal(match_colour(pixels, wanted, strength=0), pixels)


def test_matching_looks_only_where_the_mask_is_0():
    rng = np.random.default_rng(0)
    original = (0.3 + 0.2 * rng.random((32, 32, 3))).astype(np.float32)
    mask = np.zeros((32, 32), np.float32)
    mask[:, 16:] = 1
    shifted = original + np.float32(0.1)
    shifted[:, 16:] = rng.random((32, 16, 3))
    made = match_colour(shifted, original, where=mask)
    assert np.abs(made[:, :16] - original[:, :16]).max() < 0.02
    everywhere = match_colour(shifted, original, where=np.ones_like(mask))
    assert np.array_equal(everywhere, shifted)


def test_one_flat_colour_can_be_matched(picture):
    flat = np.full((4, 4, 3), 0.5, np.float32)
    assert np.isfinite(match_colour(flat, picture())).all()


def test_edges_are_white_lines_where_brightness_changes():
    pixels = np.zeros((20, 20, 3), np.float32)
    pixels[:, 10:] = 1
    lines = edges(pixels)
    assert set(np.unique(lines)) == {0, 1}
    assert lines[:, 8:12].max(axis=1).min() == 1
    assert lines[:, :7].max() == lines[:, 13:].max() == 0
    assert to_bytes(lines).dtype == np.uint8
