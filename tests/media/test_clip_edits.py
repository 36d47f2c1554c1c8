"""Frames cut, joined and chosen; numbers in them say which they are."""

import numpy as np
import pytest

from nodeforge.imaging import BatchSizes, Fit, Method
from nodeforge.media import ClipTooLargeError, RangeError, TimeUnit, clip_edits
from nodeforge.values import SizeMismatchError
from support.media_files import numbered, numbers

SECONDS, FRAMES = TimeUnit.SECONDS, TimeUnit.FRAMES


@pytest.mark.parametrize(
    ("start", "end", "unit", "taken"),
    [
        (0, 0, FRAMES, (0, 10)),
        (2, 5, FRAMES, (2, 5)),
        (-3, 0, FRAMES, (7, 10)),
        (1, -1, FRAMES, (1, 9)),
        (0.5, 1.0, SECONDS, (5, 10)),
        (0.5, 99, SECONDS, (5, 10)),
        (-0.2, 0, SECONDS, (8, 10)),
        (-99, 0, SECONDS, (0, 10)),
    ],
)
def test_a_range_counts_from_either_end(start, end, unit, taken):
    assert clip_edits.frame_range(10, 10.0, start, end, unit) == taken


@pytest.mark.parametrize(("start", "end"), [(10, 0), (5, 5), (6, 5), (-1, -2), (99, 100)])
def test_a_range_without_frames_is_refused(start, end):
    with pytest.raises(RangeError, match="10 frames"):
        clip_edits.frame_range(10, 10.0, start, end, FRAMES)


def test_a_frame_counts_from_either_end():
    assert [clip_edits.one_frame(10, number) for number in (0, 9, -1, -10)] == [0, 9, 9, 0]
    for number in (10, -11):
        with pytest.raises(RangeError, match="-10 to 9"):
            clip_edits.one_frame(10, number)


@pytest.mark.parametrize(
    ("step", "taken"),
    [
        (1.0, [0, 1, 2, 3, 4, 5]),
        (2.0, [1, 3, 5]),
        (0.5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        (4.0, [2, 5]),
        (100.0, [5]),
    ],
)
def test_frames_are_left_out_or_repeated(step, taken):
    assert clip_edits.resampled_frames(6, step).tolist() == taken


def test_joined_clips_follow_one_another():
    made = clip_edits.joined([numbered(3), numbered(2)])
    assert numbers(made) == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("sizes", [BatchSizes.STRETCH, BatchSizes.CROP, BatchSizes.PAD])
def test_clips_of_other_sizes_are_fitted_by_a_choice(sizes: BatchSizes):
    clips = [numbered(3), numbered(2, 100, 40)]
    assert clip_edits.joined(clips, sizes).shape == (5, 48, 64, 3)
    with pytest.raises(SizeMismatchError, match=r"64 × 48.*100 × 40"):
        clip_edits.joined(clips)


def test_a_crossfade_mixes_what_overlaps():
    black, white = np.zeros((4, 2, 2, 3), np.uint8), np.full((4, 2, 2, 3), 255, np.uint8)
    made = clip_edits.joined([black, white, black], overlap=1)
    assert made[:, 0, 0, 0].tolist() == [0, 0, 0, 128, 255, 255, 128, 0, 0, 0]
    longer = clip_edits.joined([black, white], overlap=3)[:, 0, 0, 0]
    assert longer.tolist() == [0, 64, 128, 191, 255]
    for count, overlap in (([4, 4], 5), ([4, 4, 4], 3)):
        with pytest.raises(RangeError, match="crossfade"):
            clip_edits.joined([black[:each] for each in count], overlap=overlap)


def test_a_clip_too_large_is_refused_before_it_is_made():
    frame = np.broadcast_to(np.zeros((1, 1, 1, 3), np.uint8), (20_000, 1080, 1920, 3))
    with pytest.raises(ClipTooLargeError, match="GiB"):
        clip_edits.joined([frame, frame])
    with pytest.raises(ClipTooLargeError, match="GiB"):
        clip_edits.resized(numbered(100, 2, 2), 8192, 8192, Fit.STRETCH, Method.AREA)


@pytest.mark.parametrize(("width", "height", "size"), [(32, 0, (24, 32)), (0, 96, (96, 128))])
def test_a_side_of_0_goes_in_proportion(width, height, size):
    made = clip_edits.resized(numbered(2), width, height, Fit.CROP, Method.AREA)
    assert made.shape[1:3] == size
    assert numbers(made) == [0, 1]


def test_frames_of_a_sheet_are_spread_from_the_first_to_the_last():
    assert clip_edits.spread(100, 4).tolist() == [0, 33, 66, 99]
    assert clip_edits.spread(3, 9).tolist() == [0, 1, 2]
    assert clip_edits.spread(10, 1).tolist() == [0]
