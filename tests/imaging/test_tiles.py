import numpy as np
import pytest

from nodeforge.imaging import Method, cut_tiles, join_tiles, resize, tile_boxes
from nodeforge.values import SizeMismatchError


def test_tiles_are_spread_evenly_and_reach_both_ends():
    lefts = [box.left for box in tile_boxes(100, 10, 40, 8)]
    assert lefts == [0, 30, 60]
    assert {box.height for box in tile_boxes(100, 10, 40, 8)} == {10}
    assert len(tile_boxes(40, 40, 40, 20)) == 1


@pytest.mark.parametrize("size", [(77, 101), (32, 32), (33, 31), (5, 200), (64, 64)])
@pytest.mark.parametrize(("tile", "overlap"), [(32, 8), (32, 16), (48, 0), (16, 1)])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiles_that_nothing_changed_make_the_picture(picture, size, tile, overlap, channels):
    pixels = picture(*size, channels)
    tiles = cut_tiles(pixels, tile, overlap)
    assert np.array_equal(join_tiles(tiles, size, tile, overlap)[0], pixels)


def test_neighbours_fade_into_each_other():
    tiles = np.stack([np.zeros((4, 6, 3)), np.ones((4, 6, 3))]).astype(np.float32)
    (made,) = join_tiles(tiles, (9, 4), 6, 3)
    assert made[0, :, 0].tolist() == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]


def test_enlarged_tiles_make_an_enlarged_picture(picture):
    pixels = picture(20, 13)
    tiles = [resize(tile, 16, 16, Method.NEAREST) for tile in cut_tiles(pixels, 8, 2)]
    (made,) = join_tiles(np.stack(tiles), (20, 13), 8, 2)
    assert np.array_equal(made, resize(pixels, 40, 26, Method.NEAREST))


def test_tiles_of_several_pictures_are_joined_apart(picture):
    pixels = [picture(20, 13, seed=seed) for seed in range(3)]
    tiles = np.concatenate([cut_tiles(each, 8, 2) for each in pixels])
    assert np.array_equal(join_tiles(tiles, (20, 13), 8, 2, 3), np.stack(pixels))


def test_tiles_that_do_not_fit_are_refused(picture):
    tiles = cut_tiles(picture(20, 13), 8, 2)
    with pytest.raises(SizeMismatchError, match="there are 5 tiles; 20 × 13 pixels are cut into 6"):
        join_tiles(tiles[:-1], (20, 13), 8, 2)
    with pytest.raises(SizeMismatchError, match="became 7, which does not lead to whole pixels"):
        join_tiles(tiles[:, :7, :7], (20, 13), 8, 2)
    with pytest.raises(SizeMismatchError, match="more than half"):
        tile_boxes(20, 13, 8, 5)
    with pytest.raises(SizeMismatchError, match="makes 262,144 tiles"):
        tile_boxes(8192, 8192, 16, 0)
