import numpy as np
import pytest

from nodeforge.imaging import Edge, Fit, Method, crop, grid, pad, resize, resize_to


@pytest.mark.parametrize("method", list(Method))
def test_the_same_size_keeps_every_bit(picture, method):
    pixels = picture(7, 5, 4)
    assert np.array_equal(resize(pixels, 7, 5, method), pixels)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("size", [(3, 20), (40, 2), (1, 1)])
def test_one_colour_stays_that_colour(method, size):
    pixels = np.full((9, 12, 3), 0.25, np.float32)
    made = resize(pixels, *size, method)
    assert made.shape == (size[1], size[0], 3)
    assert made == pytest.approx(0.25, abs=1e-6)


def test_shrinking_averages():
    board = (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)
    for method in (Method.LANCZOS, Method.BICUBIC, Method.BILINEAR, Method.AREA):
        assert resize(board, 8, 8, method)[2:-2, 2:-2] == pytest.approx(0.5, abs=0.02)


def test_what_is_invisible_does_not_bleed():
    pixels = np.zeros((8, 8, 4), np.float32)
    pixels[:, :4] = (1, 0, 0, 1)
    pixels[:, 4:] = (0, 1, 0, 0)
    made = resize(pixels, 3, 3)
    seen = made[made[..., 3] > 0.05]
    assert seen[:, 0] == pytest.approx(1, abs=1e-3)
    assert seen[:, 1] == pytest.approx(0, abs=1e-3)


def test_fitting_crops_or_pads_in_proportion():
    pixels = np.ones((10, 20, 3), np.float32)
    assert resize_to(pixels, 8, 8, Fit.CROP).min() == pytest.approx(1)
    padded = resize_to(pixels, 8, 8, Fit.PAD)
    assert padded[:2].max() == 0
    assert padded[2:6].min() == pytest.approx(1)
    assert resize_to(pixels, 8, 8, Fit.STRETCH).shape == (8, 8, 3)


def test_a_crop_may_lie_outside(picture):
    pixels = picture(6, 4)
    cut = crop(pixels, -2, 1, 5, 9)
    assert np.array_equal(cut[:3, 2:], pixels[1:, :3])
    assert cut[3:].max() == cut[:, :2].max() == 0
    assert crop(pixels, 50, 50, 2, 2).max() == 0


@pytest.mark.parametrize(
    ("edge", "row"),
    [
        (Edge.COLOUR, [9, 9, 9, 1, 2, 3, 9, 9, 9, 9]),
        (Edge.REPEAT, [1, 1, 1, 1, 2, 3, 3, 3, 3, 3]),
        (Edge.MIRROR, [2, 3, 2, 1, 2, 3, 2, 1, 2, 3]),
    ],
)
def test_a_margin_shows_what_is_asked_for(edge, row):
    pixels = np.array([1, 2, 3], np.float32).reshape(1, 3, 1)
    made = pad(pixels, 3, 0, 4, 0, edge, colour=(9,))
    assert made.ravel().tolist() == row


def test_a_padded_picture_holds_the_original(picture):
    pixels = picture(6, 4, 4)
    made = pad(pixels, 1, 2, 3, 4, Edge.COLOUR, (1, 0, 0, 1))
    assert made.shape == (10, 10, 4)
    assert np.array_equal(made[2:6, 1:7], pixels)
    assert made[0, 0].tolist() == [1, 0, 0, 1]


def test_a_grid_holds_every_picture(picture):
    pictures = [picture(4, 3, seed=seed) for seed in range(5)]
    made = grid(pictures, gap=2, colour=(1, 1, 1))
    assert made.shape == (2 * 3 + 2, 3 * 4 + 2 * 2, 3)
    assert np.array_equal(made[5:8, 6:10], pictures[4])
    assert made[3:5].min() == 1


def test_a_grid_of_different_sizes_centres_them(picture):
    made = grid([picture(4, 4), picture(2, 2, 4)], columns=2)
    assert made.shape == (4, 8, 4)
    assert np.array_equal(made[1:3, 5:7], picture(2, 2, 4))
