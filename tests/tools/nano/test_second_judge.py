"""The second judge: what it is shown, and the distance of its features."""

import cv2
import numpy as np
import pytest
import torch

from tools.nano.compose import draw
from tools.nano.frechet import distance_over_floor, frechet_distance
from tools.nano.measures import psnr, steepness_kept
from tools.nano.scenes import Scene
from tools.nano.second_judge import Exhibits, SecondJudge, Trips, answers, with_finest
from tools.nano.spoiling import PAST_KNOWING, STILL_KNOWN, mixed, nudged, shrunk, warped
from tools.nano.train_vae import to_tensor

WIDTHS = (8, 16)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def exhibits(concepts, styles):
    trips = np.full((2, 256, 256, 3), 7, np.uint8)
    return Exhibits(concepts, "3d", styles, Trips(trips, [2, 1]))


@pytest.fixture
def picture(concepts, styles):
    return draw(Scene((concepts[0],), "3d", "large", "blue"), styles)


def test_it_sees_whole_pictures_and_has_an_answer_for_spoiled_ones(concepts, exhibits, rng):
    pictures, wanted = exhibits.batch(40, rng)
    assert pictures.shape == (40, 3, 256, 256)
    assert set(wanted.tolist()) == {0, 1, 2, len(concepts)}
    assert SecondJudge(len(concepts), WIDTHS)(pictures[:2]).shape == (2, len(concepts) + 1)


def test_a_round_trip_counts_as_right(exhibits, rng):
    told = {answer for picture, answer in (exhibits.trip(rng) for _ in range(20))}
    assert told == {1, 2}


def test_the_answer_comes_from_the_features(concepts, exhibits, rng):
    judge = SecondJudge(len(concepts), WIDTHS).eval()
    pictures = [exhibits.original(rng)[0] for _ in range(3)]
    told, features = answers(judge, pictures)
    assert features.shape == (3, WIDTHS[-1])
    assert told == judge.names(features).argmax(1).tolist()


def test_what_is_shrunk_and_back_lacks_the_finest_parts(rng):
    noise = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for again in (cv2.INTER_LINEAR, cv2.INTER_CUBIC):
        assert steepness_kept([noise], [shrunk(noise, 0.5, again)]) < 0.8


def test_spoiling_changes_the_thing_and_a_nudge_the_light(picture, rng):
    other = picture[::-1].copy()
    for spoiled in (warped(picture, rng, PAST_KNOWING), mixed(picture, other, rng)):
        assert spoiled.shape == picture.shape
        assert psnr(picture, spoiled) < 35
    assert np.abs(nudged(picture, rng).mean((0, 1)) - picture.mean((0, 1))).max() < 40


def test_what_is_bent_a_little_counts_as_right_and_moves_less(picture, exhibits, rng):
    little, much = (warped(picture, rng, pushes) for pushes in (STILL_KNOWN, PAST_KNOWING))
    assert psnr(picture, little) > psnr(picture, much) + 2
    assert {exhibits.right(rng)[1] for _ in range(40)} <= {0, 1, 2}


def test_the_judge_sees_the_finest_level_which_half_and_back_lacks(picture):
    whole, back = (with_finest(to_tensor(p[None])) for p in (picture, shrunk(picture, 0.5)))
    assert whole.shape == (1, 5, 256, 256)
    assert back[:, 4].mean() < 0.7 * whole[:, 4].mean()


def test_equal_sets_have_no_frechet_distance_and_moved_ones_their_square(rng):
    features = rng.normal(size=(400, 6))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features + 2, features) == pytest.approx(6 * 4)
    assert frechet_distance(features * 3, features) == pytest.approx(6 * 4, rel=0.2)


def test_the_same_distribution_is_no_further_than_the_floor(rng):
    drawn, originals = rng.normal(size=(2, 1000, 8))
    distance, floor = distance_over_floor(drawn, originals, rng)
    assert distance == pytest.approx(floor, abs=0.05)


def test_it_learns_to_tell_two_things_apart(exhibits, rng):
    torch.manual_seed(0)
    judge = SecondJudge(3, WIDTHS)
    optimizer = torch.optim.AdamW(judge.parameters(), 0.01)
    pictures, wanted = exhibits.batch(12, rng)
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(judge(pictures), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.8
