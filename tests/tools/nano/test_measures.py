import numpy as np
import pytest

from tools.nano.measures import edge_f1, nearest_distances, psnr, thumbnails
from tools.nano.recogniser import Verdict, augment


def line(at):
    edges = np.zeros((64, 64), np.uint8)
    edges[:, at] = 255
    return edges


@pytest.mark.parametrize(("off", "score"), [(0, 1.0), (2, 1.0), (10, 0.0)])
def test_edges_agree_when_they_lie_two_pixels_off_at_most(off, score):
    assert edge_f1(line(20 + off), line(20)) == pytest.approx(score)


def test_too_many_edges_cost_precision():
    assert edge_f1(line(20) | line(50), line(20)) == pytest.approx(2 / 3)


def test_no_edges_agree_with_nothing():
    assert edge_f1(np.zeros((8, 8), np.uint8), line(3)[:8, :8]) == 0


def test_a_training_picture_is_at_distance_nothing_from_the_training():
    pictures = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    known = thumbnails(list(pictures))
    assert nearest_distances(known[2:3], known)[0] == pytest.approx(0, abs=1e-3)
    assert nearest_distances(1 - known[:1], known)[0] > 0.01


def test_psnr_of_a_difference_of_one_level():
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(grey, grey + 1) == pytest.approx(48.13, abs=0.01)


def test_top_counts_the_first_places():
    verdict = Verdict([[2, 0, 1], [0, 1, 2]], ["3d", "flat"])
    assert verdict.top([2, 1], 1) == 0.5
    assert verdict.top([2, 1], 2) == 1.0
    assert verdict.share_of("flat") == 0.5


def test_an_augmentation_repeats_by_seed():
    picture = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    first, second = (augment(picture, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
