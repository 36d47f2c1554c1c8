"""The convention `comfyui`: its levels, times, start, noise and batches."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, ScheduleError, UnsupportedPairError
from nodeforge.diffusion.samplers.pairs import kind_for, make_stepper
from nodeforge.diffusion.schedules.comfyui import (
    comfyui_sigmas,
    first_of,
    nearest_timestep,
    trained_levels,
)
from nodeforge.diffusion.tensors.noise import draw_batch_noise
from nodeforge.values import Guidance, Mask, Noise, Sampler, Schedule
from nodeforge.values.setting_names import COMFYUI, FLOW

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
TRAINED = trained_levels(SD)
TABLES = json.loads((Path(__file__).parent / "data" / "comfyui_sigmas.json").read_text())
"""Sigmas that ComfyUI 0.3.64 makes for Stable Diffusion 1.5, by schedule, steps and denoise."""
CPU = torch.device("cpu")


def comfy(name, eta=None):
    return Sampler(name, eta, COMFYUI)


def task_of(sd, prompts, name, schedule=None, noise=None, **more):
    return Denoising(
        sd.model,
        prompts[0],
        comfy(name),
        schedule or Schedule("karras", 4),
        Guidance(5.0),
        prompts[1],
        noise=noise or Noise(3, 32, 32),
        **more,
    )


@pytest.mark.parametrize("key", TABLES)
def test_sigmas_have_comfyui_s_bits(key):
    """§4 c, d and the schedules kl_optimal, ddim_uniform."""
    name, steps, _ = key.split("/")
    made = comfyui_sigmas(Schedule(name, int(steps)), TRAINED)
    assert torch.equal(made, torch.tensor(TABLES[key]))


def test_beta57_puts_more_steps_at_low_noise_than_beta():
    beta, beta57 = (comfyui_sigmas(Schedule(n, 10), TRAINED) for n in ("beta", "beta57"))
    assert float(beta57[5]) < float(beta[5])
    assert all(float(sigma) in TRAINED.float().tolist() for sigma in beta57[:-1])


def test_kl_optimal_needs_two_levels():
    with pytest.raises(ScheduleError, match="it needs two"):
        comfyui_sigmas(Schedule("kl_optimal", 1), TRAINED)


@pytest.mark.parametrize("steps", [7, 30, 150, 300, 999])
def test_ddim_uniform_takes_every_level_that_its_stride_meets(steps):
    """§4, a step more wherever steps do not divide 1000."""
    sigmas = comfyui_sigmas(Schedule("ddim_uniform", steps), TRAINED)
    assert len(sigmas) - 1 == math.ceil(999 / (1000 // steps))


def test_the_strength_counts_the_asked_steps_not_those_of_the_table():
    schedule = Schedule("ddim_uniform", 12, 0.5)
    sigmas = comfyui_sigmas(schedule, TRAINED)
    assert len(sigmas) - 1 - first_of(schedule, sigmas) == 6
    assert first_of(replace(schedule, strength=1.0), sigmas) == 0
    with pytest.raises(ScheduleError, match="leave no step"):
        first_of(replace(schedule, strength=0.05), sigmas)


@pytest.mark.parametrize("name", ["dpm2", "dpm2_a", "unipc", "unipc_bh1"])
def test_the_last_level_but_one_of_a_longer_schedule_is_left_out(name):
    """§4 e."""
    longer = comfyui_sigmas(Schedule("karras", 7), TRAINED)
    stepper = make_stepper(comfy(name), Schedule("karras", 6), SD, CPU)
    assert stepper.steps == 6
    stepper.prepare(5, draw_batch_noise(1, 1, (4, 2, 2)))
    one = torch.ones(1, 4, 2, 2)
    assert torch.equal(stepper.add_noise(0 * one, one), one * longer[5])


def test_custom_levels_are_left_as_they_are():
    schedule = Schedule("custom", 3, sigmas=(14.0, 3.0, 1.0, 0.0))
    assert make_stepper(comfy("dpm2"), schedule, SD, CPU).steps == 3


def test_timesteps_are_the_nearest_whole_ones_by_log_sigma():
    """§4 b."""
    levels = TRAINED.float()
    between = torch.stack([levels[500], (levels[500] * levels[501]).sqrt() * 1.0001, levels[999]])
    assert nearest_timestep(between, TRAINED).tolist() == [500, 501, 999]
    assert float(nearest_timestep(torch.tensor(80.0), TRAINED)) == 999


def test_noise_is_scaled_for_the_variance_of_the_highest_level_alone():
    """§4 a."""
    noise = draw_batch_noise(1, 1, (4, 4, 4))
    for schedule, first in ((Schedule("karras", 6), True), (Schedule("karras", 6, 0.5), False)):
        stepper = make_stepper(comfy("euler"), schedule, SD, CPU)
        sigma = comfyui_sigmas(schedule, TRAINED)[stepper.first]
        stepper.prepare(stepper.first, noise)
        scale = (1 + sigma**2) ** 0.5 if first else sigma
        assert torch.allclose(stepper.pure_noise(noise.start), noise.start * scale, rtol=1e-6)


def test_steps_draw_from_a_generator_that_begins_anew_at_the_seed():
    """§4 f: the first noise of a step is the start noise."""
    drawn = draw_batch_noise(5, 3, (4, 3, 3))
    (generator,) = drawn.generators
    assert torch.equal(drawn.draw(generator), drawn.start)
    expected = torch.randn((3, 4, 3, 3), generator=torch.Generator().manual_seed(5))
    assert torch.equal(drawn.start, expected)


@pytest.mark.parametrize("name", ["euler", "euler_a", "dpmpp_sde", "dpmpp_3m_sde", "sa_solver"])
def test_a_picture_of_a_batch_can_be_made_again_alone(host, sd, prompts, name):
    """§4, the second picture of a batch continues the generator."""
    task = task_of(sd, prompts, name, noise=Noise(20, 24, 40, batch=3))
    together = diffusion.denoise(host, task).samples
    for item in (0, 2):
        alone = replace(task, noise=Noise(20, 24, 40, batch=3, item=item))
        again = diffusion.denoise(host, alone).samples
        assert again.shape[0] == 1
        assert torch.allclose(again[0], together[item], atol=2e-4)
    assert not torch.allclose(together[0], together[1], atol=0.1)


@pytest.mark.parametrize("convention", ["diffusers", COMFYUI])
def test_an_item_takes_its_latent_and_its_variation(host, sd, prompts, convention):
    latent = diffusion.empty("sd", 4, 8, 32, 32, 3)
    latent = replace(latent, samples=torch.randn(3, 4, 4, 4))
    noise = Noise(7, 32, 32, batch=3, variations=((9, 0.3),))
    task = replace(
        task_of(sd, prompts, "euler", Schedule("karras", 4, 0.5), noise, latent=latent),
        sampler=Sampler("euler", convention=convention),
    )
    together = diffusion.denoise(host, task).samples
    again = diffusion.denoise(host, replace(task, noise=replace(noise, item=1))).samples
    assert torch.allclose(again[0], together[1], atol=1e-4)


def test_an_item_beyond_the_batch_is_refused(host, sd, prompts):
    with pytest.raises(diffusion.DenoiseError, match="a batch of 2 has no item 2"):
        diffusion.denoise(host, task_of(sd, prompts, "euler", noise=Noise(1, 32, 32, 2, item=2)))


def test_conventions_differ_in_their_keys_and_share_them_where_values_are_equal(host, sd, prompts):
    task = task_of(sd, prompts, "euler")
    diffusion.denoise(host, task)
    diffusion.denoise(host, replace(task, sampler=comfy("euler")))
    assert len(host.steps.kept) == 4
    diffusion.denoise(host, replace(task, sampler=Sampler("euler")))
    assert len(host.steps.kept) == 8


def test_a_moved_stop_keeps_the_steps_before_it_unless_the_sampler_looks_there(host, sd, prompts):
    for name, kept in (("dpmpp_2m", 4), ("dpmpp_2m_sde", 6), ("heunpp2", 6)):
        host.steps.kept.clear()
        task = task_of(sd, prompts, name)
        for stop in (2, None):
            diffusion.denoise(host, replace(task, stop_at=stop))
        assert len(host.steps.kept) == kept


def test_two_loops_that_share_a_schedule_are_one(host, sd, prompts):
    task = task_of(sd, prompts, "dpmpp_2s_a")
    whole = diffusion.denoise(host, replace(task, sampler=comfy("euler"))).samples
    half = diffusion.denoise(host, replace(task, sampler=comfy("euler"), stop_at=2))
    rest = replace(task, sampler=comfy("euler"), noise=None, latent=half, start_at=2)
    assert torch.equal(diffusion.denoise(host, rest).samples, whole)


def test_what_the_mask_keeps_keeps_its_bits(host, sd, prompts):
    latent = replace(diffusion.empty("sd", 4, 8, 32, 32, 1), samples=torch.randn(1, 4, 4, 4))
    mask = Mask(torch.zeros(1, 32, 32).index_fill(1, torch.arange(16), 1.0))
    for name in ("euler", "dpmpp_2m_sde", "unipc", "dpm_fast", "dpm_adaptive"):
        made = diffusion.denoise(host, task_of(sd, prompts, name, latent=latent, mask=mask))
        assert torch.equal(made.samples[:, :, 2:], latent.samples[:, :, 2:])


def test_cfg_pp_calls_the_negative_prompt_without_guidance_too(host, sd, prompts):
    """The network sees two prompts a call, so that the two pictures differ."""
    task = replace(task_of(sd, prompts, "euler_cfg_pp"), guidance=Guidance(1.0))
    other = replace(task, negative=prompts[0])
    ours, plain = (diffusion.denoise(host, each).samples for each in (task, other))
    assert not torch.allclose(ours, plain, atol=1e-3)
    euler = diffusion.denoise(host, replace(task, sampler=comfy("euler"))).samples
    assert torch.allclose(plain, euler, atol=1e-4)


@pytest.mark.parametrize("name", ["pndm", "tcd", "restart"])
def test_a_sampler_of_diffusers_convention_alone_is_named(name):
    with pytest.raises(UnsupportedPairError, match="not in the convention 'comfyui'") as caught:
        kind_for(comfy(name), Schedule("normal", 4), flow=False)
    assert "Set 'convention' to diffusers" in caught.value.way_out


@pytest.mark.parametrize("name", ["sa_solver_pece", "res_multistep", "euler_cfg_pp"])
def test_a_sampler_of_comfyui_s_convention_alone_is_named(name):
    with pytest.raises(UnsupportedPairError, match="not in the convention 'diffusers'"):
        kind_for(Sampler(name), Schedule("normal", 4), flow=False)


def test_models_of_flow_have_samplers_without_noise_of_their_own():
    with pytest.raises(UnsupportedPairError, match="flow-matching models"):
        make_stepper(comfy("euler_a"), Schedule("normal", 4), {**SD, "prediction_type": FLOW}, CPU)


@pytest.mark.parametrize("points", range(1, 12))
def test_dpm_fast_makes_as_many_calls_as_there_are_steps(host, sd, prompts, points):
    before = host.model_calls
    made = diffusion.denoise(host, task_of(sd, prompts, "dpm_fast", Schedule("karras", points)))
    assert host.model_calls - before == points
    assert made.samples.isfinite().all()


def test_zero_snr_levels_end_at_nothing_but_noise():
    levels = trained_levels({**SD, "rescale_betas_zero_snr": True})
    assert float(levels[0]) == pytest.approx(float(TRAINED[0]))
    assert float(levels[-1]) == pytest.approx(4518.7, rel=1e-3)
