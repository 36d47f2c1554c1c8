import numpy as np
import pytest

from nodeforge.imaging import (
    Align,
    BatchSizes,
    EmptyBatchError,
    PictureTooLargeError,
    Side,
    batched,
    plain,
    repeated,
    sliced,
    stitch,
)
from nodeforge.values import SizeMismatchError


def numbered(count):
    return np.arange(count, dtype=np.float32).reshape(count, 1, 1, 1).repeat(3, 3)


@pytest.mark.parametrize(
    ("start", "count", "kept"),
    [(0, 1, [0]), (2, 2, [2, 3]), (-1, 1, [4]), (-2, 0, [3, 4]), (3, 99, [3, 4]), (-5, 1, [0])],
)
def test_pictures_are_taken_from_either_end(start, count, kept):
    assert sliced(numbered(5), start, count)[:, 0, 0, 0].tolist() == kept


@pytest.mark.parametrize("start", [5, -6, 4096])
def test_a_picture_beyond_the_batch_is_refused(start):
    with pytest.raises(EmptyBatchError, match="the batch holds 5, counted from 0") as refused:
        sliced(numbered(5), start, 1)
    assert refused.value.way_out == "Choose one from -5 to 4."


def test_a_batch_is_repeated_whole():
    assert repeated(numbered(2), 3)[:, 0, 0, 0].tolist() == [0, 1, 0, 1, 0, 1]


def test_a_batch_holds_all_pictures_of_all_batches(picture):
    first, second = picture(4, 3)[None], picture(4, 3, 4)[None]
    made = batched([np.concatenate([first, first]), second])
    assert made.shape == (3, 3, 4, 4)
    assert np.array_equal(made[0, ..., :3], first[0])
    assert made[0, ..., 3].min() == 1


def test_other_sizes_are_refused_or_fitted_to_the_first(picture):
    two = [picture(4, 4)[None], np.ones((1, 2, 8, 3), np.float32)]
    with pytest.raises(SizeMismatchError, match="4 × 4 pixels, another 8 × 2"):
        batched(two)
    assert batched(two, BatchSizes.STRETCH)[1].min() == 1
    assert batched(two, BatchSizes.CROP)[1].min() == 1
    padded = batched(two, BatchSizes.PAD)[1]
    assert sorted(padded[:, 0, 0].tolist()) == [0, 0, 0, 1]


def test_no_picture_is_no_batch():
    for none in ([], [np.zeros((0, 4, 4, 3), np.float32)]):
        with pytest.raises(EmptyBatchError, match="no picture"):
            batched(none)


@pytest.mark.parametrize(
    "make",
    [
        lambda: plain(16384, 16384, (0, 0, 0)),
        lambda: plain(1024, 1024, (0, 0, 0), count=65),
        lambda: repeated(np.zeros((1, 1024, 1024, 3), np.float32), 65),
        lambda: stitch(np.zeros((9000, 1, 3), np.float32), np.zeros((1, 9000, 3), np.float32)),
    ],
)
def test_more_than_the_bound_is_refused(make):
    with pytest.raises(PictureTooLargeError, match="made at once") as refused:
        make()
    assert refused.value.way_out


def test_a_plain_picture_has_its_colour():
    assert plain(2, 1, (1, 0, 0.5)).tolist() == [[[[1, 0, 0.5]] * 2]]
    assert plain(1, 1, (1, 0, 0), 0.25).tolist() == [[[[1, 0, 0, 0.25]]]]


ONE, TWO = np.full((1, 1, 3), 0.25, np.float32), np.full((3, 2, 3), 0.75, np.float32)


@pytest.mark.parametrize(
    ("side", "row"),
    [(Side.RIGHT, [0.25, 1, 0.75, 0.75]), (Side.LEFT, [0.75, 0.75, 1, 0.25])],
)
@pytest.mark.parametrize(("align", "place"), [(Align.START, 0), (Align.CENTRE, 1), (Align.END, 2)])
def test_a_smaller_picture_lies_where_it_is_asked_for(side, row, align, place):
    made = stitch(ONE, TWO, side, align, gap=1, colour=(1, 1, 1), same_size=False)
    assert made.shape == (3, 4, 3)
    assert made[place, :, 0].tolist() == row
    assert (made[..., 0] == 0.25).sum() == 1


def test_pictures_are_put_above_each_other():
    made = stitch(ONE, TWO, Side.BELOW, Align.START, colour=(1, 1, 1), same_size=False)
    assert made[..., 0].tolist() == [[0.25, 1], [0.75, 0.75], [0.75, 0.75], [0.75, 0.75]]
    assert stitch(ONE, TWO, Side.ABOVE, same_size=False)[-1, 0, 0] == 0.25


def test_the_second_picture_takes_the_height_or_width_of_the_first(picture):
    assert stitch(picture(10, 8), picture(6, 4)).shape == (8, 22, 3)
    assert stitch(picture(10, 8), picture(5, 4, 4), Side.BELOW).shape == (16, 10, 4)
