"""Selections, masks and what fills them."""

import numpy as np
import pytest

from nodeforge.canvas import (
    Canvas,
    ColourPaint,
    GradientPaint,
    LayerKind,
    State,
    Tiles,
    add_layer,
    alpha_mask,
    clear_area,
    clear_mask,
    deselect,
    ellipse,
    feather_mask,
    grow_mask,
    invert_mask,
    paint_area,
    polygon,
    rectangle,
    select,
    set_layer,
    similar_area,
)
from nodeforge.errors import RequestError
from nodeforge.imaging import Box, Combine

WHOLE = Box(0, 0, 400, 300)
BLUE = ColourPaint((10, 20, 200, 255))


def cover(tiles):
    """Pixels that a mask covers."""
    return tiles.read(Box(-300, -300, 1200, 1200)).sum() / 255


def test_a_rectangle_counts_parts_of_pixels():
    mask = rectangle(10.25, 20, 30.5, 25).read(WHOLE)
    assert cover(rectangle(10.25, 20, 30.5, 25)) == pytest.approx(20.25 * 5, rel=0.01)
    assert mask[22, [9, 10, 11, 29, 30, 31]].tolist() == [0, 191, 255, 255, 128, 0]
    assert mask[[19, 20, 24, 25], 15].tolist() == [0, 255, 255, 0]


def test_whole_pixels_of_a_rectangle_are_hard():
    assert set(rectangle(-20, -300, 500, 700).read(Box(-100, -100, 900, 900)).ravel()) == {0, 255}


@pytest.mark.parametrize("antialias", [True, False])
def test_an_ellipse_covers_its_area(antialias):
    mask = ellipse(20, 30, 320, 230, antialias)
    assert cover(mask) == pytest.approx(np.pi * 150 * 100, rel=0.01)
    soft = ((mask.read(WHOLE) > 0) & (mask.read(WHOLE) < 255)).any()
    assert soft == antialias


def test_a_lasso_covers_what_it_surrounds_across_tiles():
    triangle = polygon([(-50, 10), (350, 10), (-50, 290)])
    assert cover(triangle) == pytest.approx(400 * 280 / 2, rel=0.01)
    assert triangle.read(WHOLE)[12, 0] == 255


def test_a_line_surrounds_nothing():
    assert not len(polygon([(3, 4), (50, 60)]))


def selected(document, canvas, mask, how=None):
    document.perform(select(canvas, mask, how))
    return None if canvas.selection is None else canvas.selection.read(canvas.box)


def test_selections_combine(document):
    canvas = Canvas(State(400, 300))
    first, second = rectangle(50, 50, 150, 150), rectangle(100, 100, 280, 200)
    one, two = first.read(WHOLE), second.read(WHOLE)
    selected(document, canvas, first)
    assert np.array_equal(selected(document, canvas, second, Combine.ADD), np.maximum(one, two))
    selected(document, canvas, first)
    expected = np.minimum(one, 255 - two)
    assert np.array_equal(selected(document, canvas, second, Combine.SUBTRACT), expected)
    selected(document, canvas, first)
    expected = np.minimum(one, two)
    assert np.array_equal(selected(document, canvas, second, Combine.INTERSECT), expected)


def test_without_a_selection_subtracting_takes_from_everything(document):
    canvas = Canvas(State(400, 300))
    made = selected(document, canvas, rectangle(0, 0, 100, 300), Combine.SUBTRACT)
    assert np.array_equal(made, 255 - rectangle(0, 0, 100, 300).read(WHOLE))


def test_selecting_nothing_lets_edits_reach_everything(document):
    canvas = Canvas(State(400, 300))
    assert selected(document, canvas, rectangle(-50, -50, -10, -10)) is None
    document.perform(select(canvas, rectangle(0, 0, 9, 9)))
    document.perform(deselect(canvas))
    assert canvas.selection is None


def test_the_selection_can_be_inverted_grown_and_feathered(document):
    canvas = Canvas(State(400, 300))
    mask = selected(document, canvas, rectangle(100, 100, 200, 150))
    document.perform(invert_mask(canvas))
    assert np.array_equal(canvas.selection.read(WHOLE), 255 - mask)
    document.undo()
    document.perform(grow_mask(canvas, 10))
    assert canvas.selection.bounds() == Box(90, 90, 120, 70)
    document.perform(grow_mask(canvas, -10))
    assert canvas.selection.bounds() == Box(100, 100, 100, 50)
    document.perform(feather_mask(canvas, 8))
    soft = canvas.selection.read(WHOLE)
    assert soft[125, 150] == 255
    assert (np.diff(soft[125, 80:150].astype(int)) >= 0).all()
    assert canvas.selection.bounds().left >= 92


def test_a_mask_worked_on_in_bands_has_no_seams(document):
    canvas = Canvas(State(300, 2500))
    document.perform(add_layer(canvas, LayerKind.MASK, tiles=ellipse(10, 5, 290, 2495)))
    whole = canvas.layer("mask").read(canvas.box)
    document.perform(feather_mask(canvas, 9, "mask"))
    soft = canvas.layer("mask").read(canvas.box)
    assert np.array_equal(soft, np.flipud(soft)) == np.array_equal(whole, np.flipud(whole))
    steps = np.abs(np.diff(soft[:, 150].astype(int)))
    assert steps.max() < 60


def test_masks_of_no_selection_or_of_other_layers_are_refused(document, painted):
    canvas = painted()
    with pytest.raises(RequestError, match="nothing is selected"):
        document.perform(invert_mask(canvas))
    with pytest.raises(RequestError, match="Picture 1: is no mask"):
        document.perform(grow_mask(canvas, 3, "picture"))


def test_a_mask_from_alpha_and_what_it_leaves(document, painted):
    canvas = painted()
    layer = canvas.layer("paint")
    alpha = alpha_mask(layer).read(WHOLE)
    assert np.array_equal(alpha, layer.read(WHOLE)[..., 3])
    assert np.array_equal(clear_mask(layer, WHOLE).read(WHOLE), 255 - alpha)


@pytest.fixture
def rooms(document):
    """A white canvas with a black wall at column 200, in which row 150 is open."""
    canvas = Canvas(State(400, 300))
    pixels = np.full((300, 400, 4), 255, np.uint8)
    pixels[:, 200:203, :3] = 0
    pixels[150:152, 200:203, :3] = 255
    document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=Tiles.of(pixels)))
    return canvas


def test_filling_stops_at_lines_and_where_asked_at_gaps(rooms):
    open_flood = similar_area(rooms.state, 10, 10).read(WHOLE)
    assert open_flood[10, 390] == 255
    assert open_flood[10, 201] == 0
    closed = similar_area(rooms.state, 10, 10, gap=4).read(WHOLE)
    assert closed[10, 390] == 0
    assert closed[10, 199] == 255
    everywhere = similar_area(rooms.state, 201, 10, connected=False).read(WHOLE)
    assert everywhere.sum() / 255 == 3 * 298


def test_tolerance_counts_each_channel(document):
    canvas = Canvas(State(10, 1))
    ramp = np.full((1, 10, 4), 255, np.uint8)
    ramp[0, :, 1] = np.arange(10) * 10
    document.perform(add_layer(canvas, tiles=Tiles.of(ramp)))
    assert similar_area(canvas.state, 2, 0, 20).read(canvas.box)[0].tolist() == [255] * 5 + [0] * 5
    assert not len(similar_area(canvas.state, 20, 0))


def test_a_fill_covers_the_selection_exactly(document, rooms):
    document.perform(select(rooms, rectangle(20, 30, 50, 60)))
    document.perform(paint_area(rooms, BLUE))
    pixels = rooms.layers[0].read(WHOLE)
    blue = (pixels == (10, 20, 200, 255)).all(axis=2)
    assert np.array_equal(blue, rectangle(20, 30, 50, 60).read(WHOLE) > 0)
    document.perform(clear_area(rooms))
    assert not rooms.layers[0].read(WHOLE)[30:60, 20:50].any()
    assert rooms.layers[0].read(WHOLE)[..., 3].sum() / 255 == 400 * 300 - 900


def test_a_fill_of_a_moved_layer_lies_where_it_was_asked(document, rooms):
    document.perform(add_layer(rooms, offset=(33, -70)))
    document.perform(paint_area(rooms, BLUE, rectangle(100, 100, 120, 110)))
    assert rooms.active.tiles.bounds().moved(33, -70) == Box(100, 100, 20, 10)


def test_a_linear_gradient_runs_from_one_colour_to_the_other(document, rooms):
    ink = GradientPaint((100, 0), (300, 0), (255, 0, 0, 255), (0, 0, 255, 255))
    document.perform(paint_area(rooms, ink))
    row = rooms.layers[0].read(WHOLE)[77].astype(int)
    assert row[50].tolist() == [255, 0, 0, 255]
    assert row[350].tolist() == [0, 0, 255, 255]
    assert row[200].tolist() == pytest.approx([127, 0, 128, 255], abs=2)
    assert (np.diff(row[:, 2]) >= 0).all()


def test_a_radial_gradient_to_transparent_runs_outwards(document):
    canvas = Canvas(State(400, 300))
    document.perform(add_layer(canvas))
    ink = GradientPaint((200, 150), (300, 150), (0, 255, 0, 255), (0, 255, 0, 0), radial=True)
    document.perform(paint_area(canvas, ink))
    pixels = canvas.layers[0].read(WHOLE).astype(int)
    assert pixels[150, 200, 3] >= 252
    assert pixels[150, 150, 3] == pytest.approx(128, abs=2)
    assert pixels[100, 200, 3] == pytest.approx(128, abs=2)
    assert not pixels[150, 301:].any()
    assert np.array_equal(pixels[..., 1], pixels[..., 3])


def test_a_locked_layer_is_not_filled(document, rooms):
    document.perform(set_layer(rooms, "picture", locked=True))
    with pytest.raises(RequestError, match="Picture 1: is locked"):
        document.perform(paint_area(rooms, BLUE))
