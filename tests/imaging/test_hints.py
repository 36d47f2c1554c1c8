"""What ControlNets read: lines lie on borders, blurs keep means, and nothing is made of nothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from nodeforge import imaging

LINES = {
    "soft edges": imaging.soft_edges,
    "line art": imaging.line_art,
    "scribble": imaging.scribble,
}
lines = pytest.mark.parametrize("draw", LINES.values(), ids=LINES)
FOX = Path(__file__).parents[2] / "resources" / "examples" / "fox.png"


@pytest.fixture
def circle(disc):
    """An orange disc on blue that is as bright: only colour tells them apart."""
    inside = disc(120, 120, 40)[..., None]
    orange, blue = np.float32([0.9, 0.4, 0.1]), np.float32([0.2, 0.5, 0.95])
    return inside * orange + (1 - inside) * blue


def from_border(radius=40):
    """Each pixel's distance from the disc's border."""
    y, x = np.mgrid[:120, :120]
    return np.abs(np.hypot(x - 60, y - 60) - radius)


@lines
def test_a_line_lies_on_the_border_all_around_and_nowhere_else(draw, circle):
    drawn = draw(circle)[..., 0]
    away = from_border()
    assert drawn[away > 16].max() < 0.1
    near = cv2.dilate((drawn > 0.4).astype(np.uint8), np.ones((7, 7), np.uint8))
    assert near[away < 1].mean() > 0.97


@lines
def test_of_a_flat_picture_and_its_noise_nothing_is_drawn(draw):
    noise = np.random.default_rng(0).normal(0.5, 0.004, (64, 64, 3)).astype(np.float32)
    assert draw(np.full((64, 64, 3), 0.5, np.float32)).max() == 0
    assert draw(np.clip(noise, 0, 1)).mean() < 0.05


@lines
def test_more_detail_draws_more(draw):
    fox = imaging.decode(FOX).pixels
    much, little = (np.abs(np.diff(draw(fox, detail=d), axis=1)).sum() for d in (0.9, 0.1))
    assert much > 1.1 * little


@lines
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_small_pictures_with_alpha_are_read_too(draw, size):
    drawn = draw(np.random.default_rng(0).random((*size, 4), np.float32))
    assert drawn.shape == (*size, 3)
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_a_scribble_is_thicker_than_line_art_and_only_black_or_white(circle):
    drawn = imaging.scribble(circle, width=6)
    assert set(np.unique(drawn)) == {0, 1}
    assert drawn.sum() > 2 * (imaging.line_art(circle) > 0.5).sum()


def test_a_dark_stroke_is_drawn_where_it_is():
    page = np.ones((60, 60, 3), np.float32)
    page[:, 29:31] = 0
    drawn = imaging.line_art(page)[..., 0]
    assert drawn[:, 29:31].min() > 0.5
    assert drawn[:, :20].max() == drawn[:, 40:].max() == 0


def test_a_blur_spreads_a_point_and_loses_no_light():
    point = np.zeros((61, 61, 3), np.float32)
    point[30, 30] = 1
    soft = imaging.blurred(point, 4)
    assert soft.sum() == pytest.approx(3, rel=1e-3)
    spread = (soft[..., 0] * (np.arange(61) - 30) ** 2).sum() ** 0.5
    assert spread == pytest.approx(4, rel=0.05)
    assert np.array_equal(imaging.blurred(point, 0), point)


def test_tile_takes_details_away_and_keeps_forms(picture):
    noise = picture(64, 64)
    less = imaging.tiled(noise, 8)
    assert less.shape == noise.shape
    assert less.mean() == pytest.approx(noise.mean(), abs=0.01)
    assert less.std() < 0.3 * noise.std()
    assert np.allclose(imaging.tiled(noise, 1), noise, atol=1e-6)


def test_each_cell_has_the_mean_colour_of_its_square(picture):
    noise = picture(96, 64)
    cells = imaging.colour_cells(noise, 4)
    square = noise[16:32, 32:48].mean(axis=(0, 1))
    assert np.abs(cells[16:32, 32:48] - square).max() < 1e-5
    assert imaging.colour_cells(noise, 1000).shape == noise.shape
