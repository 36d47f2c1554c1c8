import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.canvas.generation.box import (
    BoxError,
    auto_box,
    check_box,
    clamped,
    expanded,
    snapped,
)
from nodeforge.imaging import Box

sides = st.integers(16, 2000)
boxes = st.builds(
    Box, st.integers(-3000, 3000), st.integers(-3000, 3000), st.integers(1, 3000), sides
)


def lies_on(box, canvas):
    return (
        box.left >= 0
        and box.top >= 0
        and box.left + box.width <= canvas[0]
        and box.top + box.height <= canvas[1]
    )


def test_a_box_is_shifted_before_it_is_cut():
    assert clamped(Box(-20, 90, 64, 64), (100, 100)) == Box(0, 36, 64, 64)
    assert clamped(Box(50, 50, 400, 64), (100, 100)) == Box(0, 36, 100, 64)
    assert clamped(Box(10, 20, 30, 40), (100, 100)) == Box(10, 20, 30, 40)


@settings(max_examples=200, deadline=None)
@given(box=boxes, canvas=st.tuples(sides, sides), multiple=st.sampled_from([8, 16, 64]))
def test_a_snapped_box_suits_the_model_wherever_the_canvas_does(box, canvas, multiple):
    made = snapped(box, multiple, canvas)
    assert lies_on(made, canvas)
    for side, was, most in zip(made[2:], box[2:], canvas, strict=True):
        assert side % multiple == 0 or side == most
        assert side >= min(was, most)


def spot(canvas, left, top, width, height):
    mask = np.zeros((canvas[1], canvas[0]), np.uint8)
    mask[top : top + height, left : left + width] = 255
    return mask


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    canvas=st.tuples(st.integers(16, 400), st.integers(16, 400)),
    strength=st.floats(0.05, 1),
    model=st.sampled_from([(256, 16), (512, 8), (1024, 64)]),
)
def test_an_automatic_box_lies_on_the_canvas_and_holds_the_mask(data, canvas, strength, model):
    left, top = (data.draw(st.integers(0, side - 1)) for side in canvas)
    width, height = (
        data.draw(st.integers(1, side - start))
        for side, start in zip(canvas, (left, top), strict=True)
    )
    box = auto_box(spot(canvas, left, top, width, height), canvas, strength, *model)
    assert lies_on(box, canvas)
    assert box.left <= left
    assert box.top <= top
    assert box.left + box.width >= left + width
    assert box.top + box.height >= top + height
    for side, most in zip(box[2:], canvas, strict=True):
        assert side % model[1] == 0 or side == most


def test_what_is_new_is_seen_with_more_around_it_than_what_is_changed():
    canvas = (3000, 3000)
    mask = spot(canvas, 1000, 1000, 800, 800)
    new, changed = (auto_box(mask, canvas, strength, 512, 8) for strength in (1.0, 0.4))
    edge = math.ceil(0.1 * math.hypot(800, 800) + 4 + 0.06 * math.hypot(800, 800))
    context = (800 + 2 * edge) // 2
    assert new.width == pytest.approx(800 + 2 * (edge + context), abs=16)
    assert changed.width < new.width


def test_a_small_mask_is_seen_in_as_many_pixels_as_the_model_was_trained_on():
    canvas = (2000, 2000)
    box = auto_box(spot(canvas, 1000, 1000, 4, 4), canvas, 1.0, 512, 8)
    assert (box.width, box.height) == (512, 512)


def test_a_mask_cut_out_of_the_canvas_says_where_it_lies():
    canvas = (2000, 1000)
    whole = auto_box(spot(canvas, 1500, 300, 90, 60), canvas, 1.0, 256, 16)
    part = spot(canvas, 1500, 300, 90, 60)[200:500, 1400:1800]
    assert auto_box(part, canvas, 1.0, 256, 16, (1400, 200)) == whole


def test_without_a_mask_the_whole_canvas_is_taken():
    assert auto_box(np.zeros((30, 40), np.uint8), (40, 30), 1.0, 256, 16) == Box(0, 0, 40, 30)


@pytest.mark.parametrize("box", [Box(-1, 0, 64, 64), Box(40, 0, 64, 64), Box(500, 500, 64, 64)])
def test_a_box_beside_the_canvas_is_refused(box):
    with pytest.raises(BoxError, match="does not lie on the canvas of 100 × 100") as caught:
        check_box(box, (100, 100), 16)
    assert caught.value.way_out


@pytest.mark.parametrize("box", [Box(0, 0, 15, 64), Box(0, 0, 64, 8), Box(0, 0, 0, 64)])
def test_a_box_smaller_than_a_cell_is_refused(box):
    with pytest.raises(BoxError) as caught:
        check_box(box, (100, 100), 16)
    assert caught.value.way_out


def test_a_box_to_expand_into_overlaps_the_picture():
    check_box(Box(-50, 0, 100, 100), (100, 100), 16, expands=True)
    with pytest.raises(BoxError, match="beside the picture"):
        check_box(Box(-100, 0, 100, 100), (100, 100), 16, expands=True)
    with pytest.raises(BoxError, match="would become"):
        check_box(Box(50, 0, 9000, 100), (100, 100), 16, expands=True)
    with pytest.raises(BoxError, match="choose 'expand'"):
        check_box(Box(-50, 0, 100, 100), (100, 100), 16)


@pytest.mark.parametrize("sides", [s for s in product((0, 40), repeat=4) if any(s)])
def test_the_box_for_new_pixels_holds_them_and_a_part_of_the_picture(sides):
    left, top, right, bottom = sides
    box = expanded((1000, 800), *sides, side=256)
    whole = Box(0, 0, 1000, 800).around(box)
    assert whole == Box(-left, -top, 1000 + left + right, 800 + top + bottom)
    assert box.overlap(Box(0, 0, 1000, 800)) is not None
    if sum(map(bool, sides)) > 1:
        assert box == whole
