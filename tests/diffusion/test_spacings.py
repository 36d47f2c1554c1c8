"""Schedules: what their papers and the programs that people come from say."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from nodeforge.diffusion import SCHEDULES, ScheduleError
from nodeforge.diffusion.schedules.schedule import sigmas_of, timestep_of, trained_sigmas
from nodeforge.diffusion.schedules.spacings import BENT, FOR_FLOW, SPACINGS
from nodeforge.values import Schedule
from nodeforge.values.sampling_labels import SCHEDULE_LABELS

SD = trained_sigmas({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"})
STRAIGHT = trained_sigmas({"prediction_type": "flow_prediction", "shift": 3.0})
NANO = trained_sigmas({"beta_start": 0.00085, "beta_end": 0.022})


def trained_for(name):
    """Levels of a model that the schedule is for."""
    return STRAIGHT if name in FOR_FLOW else SD


def timesteps(name, steps):
    return timestep_of(sigmas_of(Schedule(name, steps), SD)[:-1], SD).tolist()


@pytest.mark.parametrize("name", SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20, 150])
def test_sigmas_fall_to_zero_within_what_the_model_knows(name, steps):
    trained = trained_for(name)
    sigmas = sigmas_of(Schedule(name, steps), trained)
    assert len(sigmas) == steps + 1
    assert (sigmas[1:] < sigmas[:-1]).all()
    assert float(sigmas[-1]) == 0
    assert float(sigmas[0]) <= float(trained[-1]) * 1.001
    assert float(sigmas[-2]) >= float(trained[0]) * 0.99


@pytest.mark.parametrize("name", sorted({*SPACINGS} - {"ddim_uniform"}))
def test_all_but_ddim_uniform_begin_at_the_noisiest_level(name):
    trained = trained_for(name)
    first = float(sigmas_of(Schedule(name, 20), trained)[0])
    assert first == pytest.approx(float(trained[-1]), rel=1e-3)


@pytest.mark.parametrize(
    ("name", "steps", "expected"),
    [
        ("normal", 4, [999, 666, 333, 0]),
        ("sgm_uniform", 4, [999, 749.25, 499.5, 249.75]),
        ("simple", 4, [999, 749, 499, 249]),
        ("simple", 3, [999, 666, 333]),
        ("ddim_uniform", 4, [751, 501, 251, 1]),
        ("ddim_uniform", 7, [853, 711, 569, 427, 285, 143, 1]),
    ],
)
def test_timesteps_by_hand(name, steps, expected):
    assert timesteps(name, steps) == pytest.approx(expected, abs=0.3)


def test_beta_puts_more_steps_at_both_ends():
    times = timesteps("beta", 20)
    gaps = [high - low for high, low in pairwise(times)]
    middle = gaps[8:11]
    assert max(gaps[0], gaps[-1]) < 0.6 * min(middle)
    # the distribution is symmetric: the eleventh of twenty lies in the middle
    assert times[10] == pytest.approx(499.5, abs=0.1)


def test_linear_quadratic_removes_a_fortieth_of_the_noise_in_its_first_half():
    shares = sigmas_of(Schedule("linear_quadratic", 8), SD) / SD[-1]
    assert float(shares[4]) == pytest.approx(0.975)
    falls = (shares[:-1] - shares[1:]).tolist()
    assert falls[:4] == pytest.approx([0.00625] * 4, rel=1e-4)
    second = [after - before for before, after in pairwise(falls[4:])]
    assert second == pytest.approx([second[0]] * len(second), rel=1e-3)


def test_karras_is_even_in_the_seventh_root():
    roots = sigmas_of(Schedule("karras", 10), SD)[:-1].double() ** (1 / 7)
    falls = roots[:-1] - roots[1:]
    assert torch.allclose(falls, falls[:1].expand(9), rtol=1e-4)


def test_rho_bends_only_the_schedules_that_have_one():
    plain, bent = (sigmas_of(Schedule("polyexponential", 9, rho=rho), SD) for rho in (None, 2.0))
    assert torch.equal(plain, sigmas_of(Schedule("exponential", 9), SD))
    assert float(bent[4]) < 0.5 * float(plain[4])
    assert torch.equal(bent[[0, -2]], plain[[0, -2]])
    for name in {*SPACINGS} - {*BENT}:
        with pytest.raises(ScheduleError, match="has no rho"):
            sigmas_of(Schedule(name, 9, rho=2.0), SD)
    with pytest.raises(ScheduleError, match="above 0"):
        sigmas_of(Schedule("karras", 9, rho=0.0), SD)


def test_align_your_steps_are_the_published_ones_at_ten_steps():
    published = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.0]
    assert sigmas_of(Schedule("ays", 10), SD).tolist() == pytest.approx(published)
    assert timesteps("ays", 10) == pytest.approx(
        [999, 850, 736, 645, 545, 455, 343, 233, 124, 24], abs=1.5
    )


def test_align_your_steps_is_refused_for_a_model_with_other_noise():
    with pytest.raises(ScheduleError, match="Align Your Steps"):
        sigmas_of(Schedule("ays", 10), NANO)


def test_more_steps_than_levels_are_refused():
    with pytest.raises(ScheduleError, match="'ddim_uniform' has no 1001 different"):
        sigmas_of(Schedule("ddim_uniform", 1001), SD)


def test_every_schedule_has_a_label():
    assert tuple(SCHEDULE_LABELS) == SCHEDULES
