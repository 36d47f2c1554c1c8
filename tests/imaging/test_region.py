import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.imaging import (
    Box,
    bounding_box,
    crop_region,
    cut_out,
    cut_out_mask,
    put_back,
    to_bytes,
)
from nodeforge.values import Region


@st.composite
def pictures_with_boxes(draw, largest=3000):
    width, height = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    box = Box(left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top)))
    return (width, height), box


models = st.sampled_from([(16, 256), (8, 512), (64, 512), (16, 1024)])


@settings(max_examples=300, deadline=None)
@given(case=pictures_with_boxes(), context=st.floats(0, 3), model=models)
def test_a_region_holds_the_mask_lies_inside_and_suits_the_model(case, context, model):
    (width, height), box = case
    multiple, size = model
    region = crop_region(box, (width, height), context, multiple, size)
    assert region.left >= 0
    assert region.top >= 0
    assert region.left + region.width <= width
    assert region.top + region.height <= height
    assert region.left <= box.left
    assert region.top <= box.top
    assert region.left + region.width >= box.left + box.width
    assert region.top + region.height >= box.top + box.height
    assert region.scaled_width % multiple == region.scaled_height % multiple == 0
    assert min(region.scaled_width, region.scaled_height) >= multiple


def test_context_is_half_the_masks_side_and_shifts_before_it_cuts():
    region = crop_region(Box(0, 100, 200, 200), (1000, 1000), 0.5, 8, 512)
    assert (region.left, region.top, region.width, region.height) == (0, 0, 400, 400)
    assert (region.scaled_width, region.scaled_height) == (512, 512)


def test_a_small_mask_is_seen_with_at_least_half_the_models_size():
    region = crop_region(Box(500, 500, 4, 4), (1000, 1000), 0.0, 8, 512)
    assert (region.width, region.height) == (256, 256)


def test_a_small_picture_is_scaled_up_as_a_whole():
    region = crop_region(Box(10, 10, 5, 5), (64, 48), 0.5, 16, 256)
    assert (region.width, region.height) == (64, 48)
    assert region.scaled_width * region.scaled_height > 0.9 * 256 * 256


def test_without_a_mask_the_whole_picture_is_taken():
    region = crop_region(None, (640, 512), 0.5, 8, 512)
    assert (region.left, region.top, region.width, region.height) == (0, 0, 640, 512)


@settings(max_examples=120, deadline=None)
@given(
    case=pictures_with_boxes(largest=90),
    seed=st.integers(0, 999),
    channels=st.sampled_from([3, 4]),
    feather=st.integers(0, 30),
    match=st.sampled_from([0.0, 1.0]),
)
def test_every_pixel_outside_the_mask_keeps_its_bits(case, seed, channels, feather, match):
    (width, height), box = case
    rng = np.random.default_rng(seed)
    original = rng.integers(0, 256, (height, width, channels)).astype(np.float32) / np.float32(255)
    mask = np.zeros((height, width), np.float32)
    inside = rng.choice([0, 0.3, 1], (box.height, box.width))
    mask[box.top : box.top + box.height, box.left : box.left + box.width] = inside
    region = crop_region(bounding_box(mask), (width, height), 0.5, 16, 64)
    generated = rng.random((region.scaled_height, region.scaled_width, 3)).astype(np.float32)
    made = put_back(original, generated, mask, region, feather, match)
    assert made.shape == original.shape
    assert np.array_equal(made[mask == 0], original[mask == 0])
    assert np.array_equal(to_bytes(made)[mask == 0], to_bytes(original)[mask == 0])


def test_a_region_partly_or_wholly_outside_puts_back_what_is_inside(picture):
    original, mask = picture(20, 10), np.ones((10, 20), np.float32)
    white = np.ones((8, 8, 3), np.float32)
    made = put_back(original, white, mask, Region(-4, 6, 8, 8, 8, 8), feather=0)
    assert np.array_equal(made[6:, :4], white[:4, :4])
    made[6:, :4] = original[6:, :4]
    assert np.array_equal(made, original)
    away = put_back(original, white, mask, Region(50, 50, 8, 8, 8, 8))
    assert np.array_equal(away, original)


def test_deep_inside_the_mask_only_the_new_picture_is_seen(picture, disc):
    original, mask = picture(64, 64), disc(64, 64, 20)
    region = crop_region(bounding_box(mask), (64, 64), 0.5, 16, 64)
    white = np.ones((region.scaled_height, region.scaled_width, 3), np.float32)
    made = put_back(original, white, mask, region, feather=5)
    assert made[28:36, 28:36].min() > 1 - 1e-6


def test_cutting_out_and_putting_back_changes_little(disc):
    y, x = np.mgrid[:120, :160].astype(np.float32)
    smooth = np.stack([x / 160, y / 120, (x + y) / 280], axis=-1)
    mask = disc(160, 120, 15)
    region = crop_region(bounding_box(mask), (160, 120), 0.5, 16, 256)
    cut = cut_out(smooth, region)
    assert cut.shape == (region.scaled_height, region.scaled_width, 3)
    assert cut_out_mask(mask, region).shape == cut.shape[:2]
    assert np.abs(put_back(smooth, cut, mask, region) - smooth).max() < 0.01


def test_colours_are_matched_to_what_surrounds_the_mask(disc):
    rng = np.random.default_rng(0)
    original = (0.4 + 0.1 * rng.random((80, 80, 3))).astype(np.float32)
    mask = disc(80, 80, 12)
    region = crop_region(bounding_box(mask), (80, 80), 0.5, 16, 64)
    darker = cut_out(original, region) * np.float32(0.8)
    made = put_back(original, darker, mask, region, feather=0, match=1.0)
    inside = mask > 0
    assert np.abs(made[inside].mean(0) - original[inside].mean(0)).max() < 0.03
