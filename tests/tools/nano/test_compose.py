from dataclasses import replace

import numpy as np
import pytest

from tools.nano.compose import draw
from tools.nano.measures import background_colour
from tools.nano.scenes import COLOURS, Scene


@pytest.fixture
def scene(concepts):
    return Scene((concepts[0],), "3d", "large", "blue")


def test_a_scene_always_gives_the_same_pixels(scene, styles):
    assert np.array_equal(draw(scene, styles), draw(scene, styles))


@pytest.mark.parametrize("colour", COLOURS)
def test_the_named_background_is_found_again(scene, styles, colour):
    assert background_colour(draw(replace(scene, colour=colour), styles)) == colour


@pytest.mark.parametrize(
    ("place", "axis", "lower"),
    [("left", 1, True), ("right", 1, False), ("top", 0, True), ("bottom", 0, False)],
)
def test_the_thing_is_where_the_place_says(scene, styles, place, axis, lower):
    picture = draw(replace(scene, place=place), styles).astype(int)
    changed = np.abs(picture - COLOURS["blue"]).sum(axis=2) > 60
    centre = np.argwhere(changed).mean(axis=0)[axis]
    assert (centre < 100) if lower else (centre > 156)


def test_a_flip_mirrors_the_thing(scene, styles):
    mirrored = draw(replace(scene, flipped=True), styles)
    # A side of an odd number of pixels is not quite centred: its edges may move by one.
    assert np.abs(mirrored[:, ::-1].astype(int) - draw(scene, styles)).mean() < 2


def test_a_pair_has_its_things_from_left_to_right(concepts, styles):
    pair = draw(Scene((concepts[0], concepts[1]), "3d", "pair", "white"), styles).astype(int)
    red, green = pair[110:146, :128].mean((0, 1)), pair[100:146, 150:].mean((0, 1))
    assert red[0] > red[1]
    assert green[1] > green[0]


def test_what_hangs_over_the_edge_is_cut_off(scene, styles):
    outside = draw(replace(scene, shift=(2.0, 0.0)), styles)
    assert (outside == COLOURS["blue"]).all()
