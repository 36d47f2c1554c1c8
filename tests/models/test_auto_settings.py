"""Settings that a workflow leaves to its model."""

from itertools import product

import pytest

from nodeforge.models import FAMILIES, SamplingSettings, resolve
from nodeforge.models.sampler_table import Levels, levels_of, sampler_table, walked
from nodeforge.values.setting_names import AUTO, FLOW

VARIANTS = [(f.name, v) for f in FAMILIES.values() for v in ("", *f.variants)]


@pytest.mark.parametrize(("family", "variant"), VARIANTS)
def test_every_model_has_settings_that_can_be_run(family, variant):
    made = resolve(SamplingSettings(), family, variant)
    facts = FAMILIES[family]
    levels = levels_of(family)
    assert made.complete
    assert made.schedule in walked(made.sampler, levels, made.convention)["plain"]
    assert (made.width, made.height) == facts.native_sides
    assert made.frames == (facts.video.frames if facts.video else None)
    assert made.steps == facts.recommended_for(variant).steps


def test_what_is_given_holds_and_the_rest_follows():
    asked = SamplingSettings(sampler="euler_a", steps=12, guidance=3.0, width=640)
    made = resolve(asked, "sdxl")
    assert (made.sampler, made.steps, made.guidance, made.width) == ("euler_a", 12, 3.0, 640)
    assert made.schedule == "karras"
    assert made.height == 1024


@pytest.mark.parametrize("family", ["sd15", "flux1", "nano", "stable_audio"])
def test_a_given_schedule_chooses_a_sampler_that_walks_it(family):
    levels = levels_of(family)
    able = {s for name in sampler_table() for s in walked(name, levels, "diffusers")["plain"]}
    for schedule in sorted(able):
        made = resolve(SamplingSettings(schedule=schedule), family)
        assert schedule in walked(made.sampler, levels, made.convention)["plain"]
        usual = FAMILIES[family].recommended.sampler
        if schedule in walked(usual, levels, made.convention)["plain"]:
            assert made.sampler == usual


def test_a_given_sampler_chooses_a_schedule_that_it_walks():
    kinds = (("sd15", FLOW), ("sd15", "epsilon"), ("stable_audio", ""))
    for name, (family, prediction) in product(sampler_table(), kinds):
        schedules = walked(name, levels_of(family, prediction), "diffusers")["plain"]
        made = resolve(SamplingSettings(sampler=name), family, prediction=prediction)
        assert made.schedule in schedules or not schedules


def test_a_flow_matching_model_of_another_family_gets_a_sampler_for_flow():
    made = resolve(SamplingSettings(), "sd15", prediction=FLOW)
    assert made.schedule in walked(made.sampler, Levels.FLOW, made.convention)["plain"]


def test_a_distilled_model_takes_few_steps():
    turbo, base = (resolve(SamplingSettings(), "z_image", v) for v in ("turbo", "base"))
    assert turbo.label == "Flow Euler, Simple, 8 steps, guidance 1, 1024 × 1024"
    assert base.steps > 3 * turbo.steps
    assert base.guidance > turbo.guidance


def test_auto_is_no_sampler_of_the_table():
    assert AUTO not in sampler_table()
