"""Our own steps on Gaussian data, where the exact path is known, and beside diffusers' own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.diffusion.samplers.cfg_pp.dpmpp_2m import dpmpp_2m_cfg_pp_step
from nodeforge.diffusion.samplers.cfg_pp.dpmpp_2s import dpmpp_2s_cfg_pp_step
from nodeforge.diffusion.samplers.cfg_pp.euler import euler_cfg_pp_step
from nodeforge.diffusion.samplers.diffusers_stepper import DiffusersStepper, settings_of
from nodeforge.diffusion.samplers.multistep.deis import deis_step
from nodeforge.diffusion.samplers.multistep.deis_third import deis_third_step
from nodeforge.diffusion.samplers.multistep.dpmpp_2m import dpmpp_2m_step
from nodeforge.diffusion.samplers.multistep.gradient_estimation import (
    gradient_estimation_cfg_pp_step,
    gradient_estimation_step,
)
from nodeforge.diffusion.samplers.multistep.ipndm import ipndm_step
from nodeforge.diffusion.samplers.multistep.ipndm_v import ipndm_v_step
from nodeforge.diffusion.samplers.multistep.lms import lms_step
from nodeforge.diffusion.samplers.multistep.res_multistep import (
    res_multistep_cfg_pp_step,
    res_multistep_step,
)
from nodeforge.diffusion.samplers.multistep.unipc import unipc_bh1_step, unipc_step
from nodeforge.diffusion.samplers.multistep.unipc_third import (
    unipc_third_bh1_step,
    unipc_third_step,
)
from nodeforge.diffusion.samplers.sigma_stepper import SigmaStepper
from nodeforge.diffusion.samplers.single_step.dpm2 import dpm2_step
from nodeforge.diffusion.samplers.single_step.dpm_solver import (
    dpm_adaptive_step,
    dpm_fast_spans,
    dpm_fast_step,
)
from nodeforge.diffusion.samplers.single_step.dpmpp_2s import dpmpp_2s_step
from nodeforge.diffusion.samplers.single_step.heun import heun_step
from nodeforge.diffusion.samplers.single_step.heunpp import heunpp2_step
from nodeforge.diffusion.samplers.step_context import StepContext
from nodeforge.diffusion.samplers.stochastic.ancestral import ancestral_step
from nodeforge.diffusion.samplers.stochastic.dpmpp_2m_sde import (
    dpmpp_2m_sde_heun_step,
    dpmpp_2m_sde_step,
)
from nodeforge.diffusion.samplers.stochastic.dpmpp_3m_sde import (
    dpmpp_3m_sde_half_step,
    dpmpp_3m_sde_step,
)
from nodeforge.diffusion.samplers.stochastic.dpmpp_sde import dpmpp_sde_step
from nodeforge.diffusion.samplers.stochastic.er_sde import er_sde_step
from nodeforge.diffusion.samplers.stochastic.restart import restart_step
from nodeforge.diffusion.samplers.stochastic.sa_solver import sa_solver_pece_step, sa_solver_step
from nodeforge.diffusion.samplers.stochastic.seeds import seeds_2_step, seeds_3_step
from nodeforge.diffusion.schedules.schedule import (
    sigmas_of,
    timestep_of,
    trained_sigmas,
)
from nodeforge.values import Guidance, Noise, Sampler, Schedule

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

MEAN, SPREAD = 0.7, 0.5
CPU = torch.device("cpu")


def gaussian(x, sigma):
    """The clean estimate where the data are Gaussian."""
    return (SPREAD**2 * x + sigma**2 * MEAN) / (SPREAD**2 + sigma**2)


def walked(step, x, sigmas, eta=0.0, exact=None, denoise=gaussian, draws=True, tau=(0.0, 0.0)):
    """Where the steps lead; with `exact`, the first three begin where they should."""
    generator = torch.Generator().manual_seed(0)
    normal = lambda: draws * torch.randn(x.shape, generator=generator, dtype=x.dtype)  # noqa: E731
    context = StepContext(eta, normal, lambda *_: normal(), levels=sigmas, stochastic=tau)
    for number, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        x = exact(sigma) if exact and number < 3 else x
        context.index = number
        x = step(denoise, x, sigma, sigma_next, context)
    return x


def error_on_gaussian(step, steps, space=torch.logspace):
    """How far the last level is from where the exact path leads."""
    low, high = (0.1, 10.0) if space is torch.logspace else (1.0, 3.0)
    ends = (1, -1) if space is torch.logspace else (high, low)
    sigmas = space(*ends, steps + 1, dtype=torch.float64)

    def exact(sigma):
        return MEAN + 3.0 * ((SPREAD**2 + sigma**2) / (SPREAD**2 + high**2)) ** 0.5

    end = walked(step, exact(sigmas[:1]), sigmas, exact=exact)
    return float((end - exact(sigmas[-1:])).abs())


@pytest.mark.parametrize(
    ("step", "order"),
    [
        (ancestral_step, 1),
        (heun_step, 2),
        (dpm2_step, 2),
        (dpmpp_2s_step, 2),
        (dpmpp_2m_step, 2),
        (dpmpp_2m_sde_step, 2),
        (dpmpp_sde_step, 2),
        (deis_step, 2),
        (dpmpp_3m_sde_step, 3),
        (unipc_step, 3),
        (unipc_bh1_step, 3),
        (lms_step, 4),
        (heunpp2_step, 1),
        (euler_cfg_pp_step, 1),
        (gradient_estimation_step, 1),
        (gradient_estimation_cfg_pp_step, 1),
        (dpmpp_2m_cfg_pp_step, 2),
        (dpmpp_2m_sde_heun_step, 2),
        (dpmpp_2s_cfg_pp_step, 2),
        (dpmpp_3m_sde_half_step, 2),
        (res_multistep_step, 2),
        (res_multistep_cfg_pp_step, 2),
        (seeds_2_step, 2),
        (deis_third_step, 3),
        (seeds_3_step, 3),
    ],
)
def test_halving_the_step_divides_the_error_by_two_to_the_order(step, order):
    ratio = error_on_gaussian(step, 200) / error_on_gaussian(step, 400)
    assert ratio == pytest.approx(2**order, rel=0.05)


def without_an_end(step):
    """`step` amid a run: orders do not fall towards its last level."""

    def amid(denoise, x, sigma, sigma_next, context):
        context.levels = None
        return step(denoise, x, sigma, sigma_next, context)

    return amid


@pytest.mark.parametrize(
    ("step", "order", "steps"),
    [
        (ipndm_v_step, 3, 400),
        (sa_solver_step, 4, 50),
        (sa_solver_pece_step, 4, 50),
        (without_an_end(unipc_third_step), 4, 50),
        (without_an_end(unipc_third_bh1_step), 4, 50),
    ],
)
def test_multistep_samplers_of_high_order(step, order, steps):
    """A corrector raises the order by one; few steps, as more come to the last bits."""
    ratio = error_on_gaussian(step, steps) / error_on_gaussian(step, 2 * steps)
    assert ratio == pytest.approx(2**order, rel=0.1)


def mean_of_paths(growth):
    """Where the mean of a stochastic sampler's paths ends that begin 3 above the data's mean.

    Args:
        growth: How fast the scale of the noise that is taken grows, its logarithm by that of sigma.
    """

    def fall(log_sigma):
        sigma = np.exp(log_sigma)
        return growth(sigma) * sigma**2 / (SPREAD**2 + sigma**2)

    return MEAN + 3.0 * np.exp(quad(fall, np.log(10.0), np.log(0.1), epsabs=1e-12)[0])


def end_without_draws(step, steps):
    start = torch.full((1,), MEAN + 3.0, dtype=torch.float64)
    sigmas = torch.logspace(1, -1, steps + 1, dtype=torch.float64)
    return float(walked(step, start, sigmas, eta=1.0, draws=False))


def test_er_sde_is_of_second_order():
    """Of third but for its sums of 200 points, which are off by a share of the step."""
    expected = mean_of_paths(_er_growth)
    coarse, fine = (abs(end_without_draws(er_sde_step, n) - expected) for n in (20, 40))
    assert coarse / fine == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("step", [seeds_2_step, seeds_3_step])
def test_seeds_follows_the_mean_of_its_paths(step):
    """With eta 1 the clean estimate does not change along it, so few steps are exact."""
    assert end_without_draws(step, 5) == pytest.approx(mean_of_paths(lambda _: 2.0), abs=1e-12)


def _er_growth(sigma):
    """How fast ER-SDE's noise scale grows, its logarithm by that of sigma."""
    power = sigma**0.3
    return 1 + 0.3 * power * np.exp(power) / (np.exp(power) + 10)


@pytest.mark.parametrize("span", [1, 2, 3])
def test_dpm_fast_is_of_the_order_of_its_span(span):
    def step(denoise, x, sigma, sigma_next, context):
        context.span = span
        return dpm_fast_step(denoise, x, sigma, sigma_next, context)

    ratio = error_on_gaussian(step, 100) / error_on_gaussian(step, 200)
    assert ratio == pytest.approx(2**span, rel=0.05)


@pytest.mark.parametrize("points", range(1, 12))
def test_dpm_fast_makes_as_many_calls_as_the_schedule_has_points(points):
    spans = dpm_fast_spans(points)
    assert sum(spans) == points
    assert spans[-1] == 1


def test_dpm_adaptive_takes_the_steps_that_it_needs():
    """Few where the path is straight, many where it bends; the end is where it should be."""
    ends = torch.tensor([10.0, 0.05], dtype=torch.float64)
    calls = {}
    for spread in (0.0, 0.5):
        seen = []

        def denoise(x, sigma, spread=spread, seen=seen):
            seen.append(sigma)
            return (spread**2 * x + sigma**2 * MEAN) / (spread**2 + sigma**2)

        start = torch.full((1, 4), MEAN + 10.0, dtype=torch.float64)
        end = walked(dpm_adaptive_step, start, ends, denoise=denoise)
        scale = ((spread**2 + 0.05**2) / (spread**2 + 10.0**2)) ** 0.5
        assert float((end - MEAN - 10.0 * scale).abs().max()) < 0.02
        calls[spread] = len(seen)
    assert calls[0.0] == 3  # one step, whose both orders agree
    assert 10 < calls[0.5] < 40


def test_dpm_adaptive_ends_also_where_numbers_do_not():
    lost = torch.full((1, 4), torch.nan)
    assert walked(dpm_adaptive_step, lost, torch.tensor([10.0, 0.1, 0.0])).isnan().all()


def test_ipndm_is_of_fourth_order_where_steps_are_even():
    coarse = error_on_gaussian(ipndm_step, 100, torch.linspace)
    assert coarse / error_on_gaussian(ipndm_step, 200, torch.linspace) == pytest.approx(16, rel=0.1)


@pytest.mark.parametrize("step", [unipc_step, unipc_bh1_step])
def test_unipc_corrects_what_it_predicts(step):
    """The corrector raises the order to three; without it the error is the predictor's."""
    assert error_on_gaussian(step, 100) < 0.2 * error_on_gaussian(dpmpp_2m_step, 100)


@pytest.mark.parametrize(
    "step",
    [
        ancestral_step,
        dpm2_step,
        dpmpp_2m_sde_step,
        dpmpp_2m_sde_heun_step,
        dpmpp_2s_step,
        dpmpp_3m_sde_step,
        dpmpp_3m_sde_half_step,
        dpmpp_sde_step,
        er_sde_step,
        euler_cfg_pp_step,
        dpmpp_2s_cfg_pp_step,
        res_multistep_step,
        res_multistep_cfg_pp_step,
        restart_step,
        sa_solver_step,
        sa_solver_pece_step,
        seeds_2_step,
        seeds_3_step,
    ],
)
def test_fresh_noise_keeps_the_data_s_mean_and_spread(step):
    sigmas = torch.cat([torch.logspace(1.5, -2, 200, dtype=torch.float64), torch.zeros(1)])
    start = MEAN + 10**1.5 * torch.randn(
        20000, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    end = walked(step, start, sigmas, eta=1.0, tau=(20.0, 0.05))
    assert float(end.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(end.std()) == pytest.approx(SPREAD, rel=0.04)


def test_restart_goes_back_up_but_not_above_where_it_began():
    for began in (10.0, 0.5):
        seen = []

        def watched(x, sigma, seen=seen):
            seen.append(float(sigma))
            return gaussian(x, sigma)

        context = StepContext(0.0, lambda: torch.zeros(1), lambda *_: torch.zeros(1))
        x = torch.ones(1)
        for sigma, sigma_next in pairwise(torch.tensor([began, 0.2, 0.05, 0.0])):
            x = restart_step(watched, x, sigma, sigma_next, context)
        assert max(seen[4:]) == pytest.approx(min(began, 2.0))
        assert len(seen) == 2 + 2 + 18 + 1


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [
        ("heun", "karras"),
        ("euler", "exponential"),
        ("euler_a", "normal"),
        ("ddim", "normal"),
        ("ddpm", "normal"),
        ("deis", "exponential"),
        ("dpm2", "sgm_uniform"),
        ("dpm2_a", "karras"),
        ("dpmpp_2m", "karras"),
        ("lms", "karras"),
        ("unipc", "exponential"),
    ],
)
@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_ours_lies_close_to_diffusers_own(sd, sampler, schedule, kind):
    """Timesteps are rounded by some of diffusers' samplers, and by none of ours."""
    config = {
        **diffusion.facts(sd.model).scheduler,
        "prediction_type": kind,
        "timestep_spacing": "linspace",
    }
    trained = trained_sigmas(config)

    def predict(x, timestep, sigma):
        del timestep
        x = x * (1 + sigma**2) ** 0.5
        clean = gaussian(x, sigma)
        if kind == "epsilon":
            return (x - clean) / sigma
        return (x / (sigma**2 + 1) - clean) * torch.sqrt(sigma**2 + 1) / sigma

    ends = []
    for stepper_class in (DiffusersStepper, SigmaStepper):
        stepper = stepper_class(Sampler(sampler), Schedule(schedule, 100), config, CPU)
        drawn = diffusion.draw_noise((7,), (4, 8, 8))
        stepper.prepare(0, drawn)
        x = stepper.pure_noise(drawn.start)
        for _ in range(100):
            x = stepper.step(predict, x, None)
        ends.append(x)
    assert float((ends[0] - ends[1]).abs().max()) < 0.1
    assert float(trained[0]) < 0.05


def test_a_batch_item_can_be_made_again_alone(host, sd, prompts):
    for sampler in ("euler_a", "dpmpp_sde"):
        task = Denoising(
            sd.model, prompts[0], Sampler(sampler), Schedule("normal", 4), Guidance(5.0),
            prompts[1], noise=Noise(20, 32, 32, batch=3),
        )  # fmt: skip
        together = diffusion.denoise(host, task).samples
        alone = Denoising(**{**vars(task), "noise": Noise(22, 32, 32)})
        again = diffusion.denoise(host, alone).samples
        assert torch.allclose(again[0], together[2], atol=1e-4)


def test_noise_of_an_item_depends_on_its_seed_alone():
    batch = diffusion.draw_noise((5, 6, 7), (4, 3, 2)).start
    assert torch.equal(batch[1:2], diffusion.draw_noise((6,), (4, 3, 2)).start)


def test_our_schedules_equal_diffusers_own(sd):
    from diffusers import EulerDiscreteScheduler

    config = {**diffusion.facts(sd.model).scheduler, "timestep_spacing": "linspace"}
    for name in ("normal", "karras", "exponential"):
        theirs = EulerDiscreteScheduler.from_config(config, **settings_of("euler", name))
        theirs.set_timesteps(13)
        ours = sigmas_of(Schedule(name, 13), trained_sigmas(config))
        assert torch.allclose(ours, theirs.sigmas, rtol=1e-4)
        known = timestep_of(ours[:-1], trained_sigmas(config))
        assert torch.allclose(known, theirs.timesteps.float(), atol=0.6)
