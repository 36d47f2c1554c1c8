"""Which runs a measurement asks for, in which order, and what it makes of their results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import tiny_transformers

from nodeforge.engine.measurements.conditions import (
    Extent,
    MeasuredModel,
    NotMeasurableError,
    conditions_of,
)
from nodeforge.engine.measurements.measuring import Measuring, NoPictureError, RunResult, rms
from nodeforge.engine.measurements.opening import checked_model
from nodeforge.engine.measurements.workflow import Purpose, Step
from nodeforge.models import FAMILIES, Kind, Layout, Measurement, ModelFolders, ModelInfo
from nodeforge.models.measurements.store import Measurements, read
from nodeforge.settings import Settings

SMALL = Extent(steps=(2, 4), reference_steps=5, prompts=("a fox", "a cat"), size=64)


def model(family: str = "nano", **told) -> MeasuredModel:
    info = ModelInfo(Path("m"), Kind.CHECKPOINT, family, Layout.FOLDER, **told)
    return MeasuredModel("m", info.path, info)


@pytest.fixture
def measuring(tmp_path) -> Measuring:
    conditions = conditions_of(model(), "b3:00", "cpu", "cpu", SMALL)
    return Measuring(model(), Measurement(conditions, "m"), Measurements(tmp_path))


def picture(step: Step) -> np.ndarray:
    """Nearer to grey the more steps; of another seed, another grey."""
    grey = 100 + 40 * (step.seed >= 1000) + 40 // step.steps
    return np.full((8, 8, 3), grey, np.uint8)


def take(measuring: Measuring, step: Step, **told) -> None:
    result = RunResult(0.1 * step.steps, 0.05, 2 * step.steps, picture(step))
    measuring.take(step, replace(result, **told))


def walk(measuring: Measuring, most: int = 1000) -> list[Step]:
    steps = []
    while len(steps) < most and (step := measuring.next) is not None:
        take(measuring, step)
        steps.append(step)
    return steps


def test_all_of_a_prompt_is_measured_before_the_next(measuring):
    steps = walk(measuring)
    purposes = [step.purpose for step in steps]
    per_prompt = [Purpose.REFERENCE, Purpose.SPREAD, *[Purpose.CELL] * 6]
    probes = [Purpose.WARM_UP, Purpose.PROBE]
    assert purposes == [*probes, *per_prompt, *per_prompt, *[Purpose.STOCHASTIC] * 2]
    assert [step.prompt for step in steps[2:18]] == [0] * 8 + [1] * 8
    assert measuring.is_whole
    assert measuring.next is None


def test_distances_are_shares_of_what_another_seed_makes(measuring):
    walk(measuring)
    (first, *_) = measuring.measurement.cells
    converged, other, here = 108, 148, 120
    assert measuring.measurement.spreads[0] == pytest.approx((other - converged) / 255)
    assert first.distance == pytest.approx((here - converged) / (other - converged), abs=1e-4)
    assert first.seconds == pytest.approx(0.2)
    curve = measuring.measurement.curve("euler")
    assert [point.steps for point in curve] == [2, 4]
    assert curve[0].distance > curve[1].distance


def test_the_time_is_known_after_the_probe_and_shrinks(measuring):
    assert measuring.forecast is None
    walk(measuring, 2)
    before = measuring.forecast
    steps = 2 * (5 + 5 + 3 * (2 + 4)) + 2 * 4
    assert before.runs == 2 * 8 + 2
    assert before.seconds == pytest.approx(0.1 * steps + 0.05 * before.runs)
    walk(measuring, 3)
    assert measuring.forecast.runs == before.runs - 3


def test_every_cell_is_kept_at_once_and_gone_on_with(measuring, tmp_path):
    done = walk(measuring, 2 + 2 + 3)
    conditions = measuring.measurement.conditions
    store = Measurements(tmp_path)
    assert len(read(store.file(conditions)).cells) == 3
    known, notices = store.begin(conditions, "m")
    again = Measuring(model(), known, store)
    rest = walk(again)
    assert notices == []
    assert [step.purpose for step in rest[:3]] == [
        *(Purpose.WARM_UP, Purpose.PROBE, Purpose.REFERENCE)
    ]  # the converged picture, from the cache; the spread is known
    cells = [step for step in (*done, *rest) if step.purpose is Purpose.CELL]
    assert len(cells) == len(set(cells)) == 12
    assert again.is_whole


@pytest.mark.parametrize("how", ["interrupted", "fewer model calls", "cached"])
def test_a_run_that_went_on_from_before_is_not_timed(measuring, how):
    walk(measuring, 4)
    step = measuring.next
    assert step is not None
    if how == "interrupted":
        measuring.interrupt(step)
    told = {"fewer model calls": {"model_calls": 1}, "cached": {"seconds": None}}.get(how, {})
    take(measuring, step, **told)
    (cell,) = measuring.measurement.cells
    assert cell.seconds is None
    assert cell.distance is not None


def test_a_result_that_was_not_kept_is_an_error(measuring):
    walk(measuring, 2)
    step = measuring.next
    assert step is not None
    with pytest.raises(NoPictureError):
        take(measuring, step, picture=None)


def test_the_root_mean_square_is_that_of_all_pixels():
    first = np.zeros((4, 4, 3), np.uint8)
    second = first.copy()
    second[0, 0] = 255
    assert rms(first, first) == 0
    assert rms(first, second) == pytest.approx((1 / 16) ** 0.5)


@pytest.mark.parametrize(
    "family",
    sorted(n for n, facts in FAMILIES.items() if not (facts.video or facts.sound or facts.layers)),
)
def test_every_family_that_is_not_distilled_has_samplers(family):
    facts = FAMILIES[family]
    made = conditions_of(model(family), "", "", "", Extent())
    assert 1 <= len(made.samplers) <= 3
    assert made.samplers[0] == facts.recommended.sampler
    assert made.width % facts.size_multiple == 0
    assert made.guidance == facts.recommended.guidance
    assert set(made.samplers).isdisjoint(made.stochastic)


def test_a_size_that_does_not_fit_is_refused():
    with pytest.raises(NotMeasurableError, match="Take 96") as error:
        conditions_of(model(), "", "", "", Extent(size=100))
    assert "nano" in str(error.value)


@pytest.fixture
def folders(tmp_path) -> ModelFolders:
    return ModelFolders(Settings(home=tmp_path))


def test_nano_can_be_measured(folders):
    assert checked_model(folders, "nano").info.family == "nano"


@pytest.mark.parametrize("make", ["flux1", "chroma", "z_image"])
def test_models_of_flow_can_be_measured(folders, tmp_path, make):
    folder = tmp_path / "models" / "checkpoints" / f"tiny_{make}"
    getattr(tiny_transformers, make)().save_pretrained(folder)
    found = checked_model(folders, folder.name)
    made = conditions_of(found, "", "", "", Extent())
    assert made.samplers == ("flow_euler", "flow_heun")


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        ("wan", "draws videos"),
        ("stable_audio", "makes sounds"),
        ("qwen_image_layered", "a picture that it is given"),
    ],
)
def test_models_of_clips_and_layers_cannot_be(folders, tmp_path, make, fact):
    tiny_transformers.PIPELINES[make]().save_pretrained(tmp_path / "models/checkpoints/tiny")
    with pytest.raises(NotMeasurableError, match=fact):
        checked_model(folders, "tiny")


@pytest.mark.parametrize(
    ("told", "fact"),
    [({"inpainting": True}, "changes a picture"), ({"edits": True}, "changes a picture")],
)
def test_models_that_read_a_picture_cannot_be(folders, tmp_path, told, fact):
    tiny_models.write_folder(tmp_path / "models" / "checkpoints" / "tiny", **told)
    with pytest.raises(NotMeasurableError, match=fact):
        checked_model(folders, "tiny")
