"""What was measured: curves, how many steps are enough, and the file that keeps it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.models.measurements.measurement import AS_NEAR, Cell
from nodeforge.models.measurements.store import (
    Measurements,
    NewerMeasurementError,
    read,
    to_json,
)
from support.measurements import A_STEP, STEPS, measurement

KEY = "b3:" + "ab" * 32


@pytest.fixture
def store(tmp_path) -> Measurements:
    return Measurements(tmp_path)


def test_a_curve_is_a_mean_over_the_prompts_that_are_whole():
    made = measurement(KEY)
    two = replace(made.conditions, prompts=("a fox", "a cat", "a dog"))
    more = [Cell("euler", steps, 1, None, 0.2) for steps in STEPS]
    half = [Cell("euler", steps, 2, 9.0, 9.0) for steps in STEPS[:-1]]
    curve = replace(made, conditions=two, cells=(*made.cells, *more, *half)).curve("euler")
    assert [point.steps for point in curve] == list(STEPS)
    assert curve[0].distance == pytest.approx((0.707 + 0.2) / 2)
    assert curve[0].seconds == pytest.approx(4 * A_STEP)  # of the one that was timed


def test_a_sampler_that_adds_noise_has_seconds_and_no_curve():
    made = measurement(KEY)
    assert made.curve("euler_a") == ()
    assert made.distance("euler_a", 20) is None
    assert made.seconds_a_step("euler_a") == pytest.approx(A_STEP)
    assert made.seconds_a_step("heun") is None


def test_distances_between_measured_steps_lie_between_theirs():
    made = measurement(KEY)
    assert made.distance("dpmpp_2m", 3) is None
    assert made.distance("dpmpp_2m", 20) == 0.072
    assert 0.072 < (made.distance("dpmpp_2m", 16) or 0) < 0.149
    assert made.distance("dpmpp_2m", 1000) == 0.036


@pytest.mark.parametrize(
    ("sampler", "steps", "enough"),
    [
        ("dpmpp_2m", 40, 30),
        ("dpmpp_2m", 100, 30),
        ("dpmpp_2m", 31, 30),
        ("dpmpp_2m", 30, None),
        ("dpmpp_2m", 4, None),
        ("euler", 40, 30),
        ("euler_a", 40, None),
        ("heun", 40, None),
    ],
)
def test_fewer_steps_are_enough_where_they_are_as_near(sampler, steps, enough):
    found = measurement(KEY).fewest_as_near(sampler, steps)
    assert (found and found.steps) == enough


@given(distances=st.lists(st.floats(0, 2), min_size=6, max_size=6), steps=st.integers(1, 200))
def test_what_is_proposed_is_not_proposed_to_be_changed_again(distances, steps):
    made = measurement(KEY)
    cells = [Cell("euler", n, 0, 1.0, d) for n, d in zip(STEPS, distances, strict=True)]
    made = replace(made, cells=tuple(cells))
    found = made.fewest_as_near("euler", steps)
    if found is not None:
        assert found.steps < steps
        assert found.distance <= made.distance("euler", steps) + AS_NEAR + 1e-6
        assert made.fewest_as_near("euler", found.steps) is None


def test_what_is_kept_is_read_again(store):
    made = measurement(KEY)
    file = store.keep(made)
    assert read(file) == made
    assert store.of(KEY) == [made]
    assert store.of("b3:" + "cd" * 32) == []
    assert json.loads(file.read_text())["format"] == 1
    assert store.begin(made.conditions, "nano") == (made, [])


def test_each_size_and_device_has_a_file_of_its_own(store):
    small, large = measurement(KEY, 128), measurement(KEY, 256)
    card = replace(large, conditions=replace(large.conditions, device="NVIDIA H200 / 1"))
    assert len({store.keep(each) for each in (small, large, card)}) == 3
    assert len(store.of(KEY)) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe\x00",
        b'{"format": 1}',
        b'{"format": "1", "conditions": 3}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_moved_aside_and_told(store, content):
    made = measurement(KEY)
    file = store.file(made.conditions)
    file.parent.mkdir()
    file.write_bytes(content)
    assert store.of(KEY) == []
    known, notices = store.begin(made.conditions, "nano")
    assert known.cells == ()
    assert len(notices) == 1
    aside = file.with_name(f"{file.stem}.damaged_1.json")
    assert aside.name in notices[0]
    assert aside.read_bytes() == content
    assert not file.exists()
    assert store.of(KEY) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw["cells"][0].update(steps=0),
        lambda raw: raw["cells"][0].update(prompt=7),
        lambda raw: raw["cells"][0].update(distance=-1),
        lambda raw: raw["conditions"].update(steps=[20, 4]),
        lambda raw: raw["conditions"].update(steps=[0]),
    ],
)
def test_numbers_that_cannot_be_are_damage(store, change):
    made = measurement(KEY)
    raw = json.loads(to_json(made))
    change(raw)
    file = store.file(made.conditions)
    file.parent.mkdir()
    file.write_text(json.dumps(raw))
    assert store.of(KEY) == []
    assert store.begin(made.conditions, "nano")[1]


def test_a_file_of_a_newer_version_is_left_alone(store):
    made = measurement(KEY)
    file = store.keep(made)
    content = json.dumps(json.loads(file.read_text()) | {"format": 2})
    file.write_text(content)
    with pytest.raises(NewerMeasurementError, match="format 2"):
        store.begin(made.conditions, "nano")
    assert file.read_text() == content
    assert store.of(KEY) == []


def test_what_was_measured_under_other_conditions_is_kept_beside(store):
    made = measurement(KEY)
    file = store.keep(made)
    content = file.read_bytes()
    known, notices = store.begin(replace(made.conditions, guidance=7.0), "nano")
    assert known.cells == ()
    copy = file.with_name(f"{file.stem}.before.json")
    assert copy.name in notices[0]
    assert copy.read_bytes() == content
