"""What would give a wrong picture without a word, and is said or mended instead."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, ScheduleError
from nodeforge.diffusion.denoising.setup import DenoiseError
from nodeforge.diffusion.tensors.conditioning import ConditioningMismatchError
from nodeforge.diffusion.vae.autoencoder import VaeError
from nodeforge.models import FAMILIES
from nodeforge.values import Guidance, Mask, Noise, Sampler, Schedule
from tests.support.family_configs import use_configs

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

SIZE = 32
LEFT = Mask(torch.zeros(1, SIZE, SIZE).index_fill(2, torch.arange(SIZE // 2), 1.0))


def latent(host, model, positive, negative, sampler="euler", schedule="normal", steps=4):
    task = Denoising(
        model, positive, Sampler(sampler), Schedule(schedule, steps), Guidance(5.0), negative,
        noise=Noise(1, SIZE, SIZE),
    )  # fmt: skip
    return diffusion.denoise(host, task).samples


@pytest.fixture
def file(monkeypatch, sd_folder, tmp_path):
    """The tiny model in one file; all but its sizes is the shipped configuration."""
    shipped = FAMILIES["sd15"].config_folder / "scheduler"
    config = shutil.copytree(sd_folder, tmp_path / "config")
    shutil.copytree(shipped, config / "scheduler", dirs_exist_ok=True)
    use_configs(monkeypatch, "sd15", config)
    return tiny_models.write_single_file(sd_folder, tmp_path / "model.safetensors")


def spoiled(file, name):
    weights = load_file(file)
    weights[name].view(-1)[0] = torch.nan
    save_file(weights, file)
    return diffusion.describe(file)


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [("euler", "normal"), ("euler", "karras"), ("heun", "karras"), ("dpmpp_sde", "karras"),
     ("lms", "normal"), ("unipc", "normal"), ("dpmpp_2m", "karras"), ("ddim", "normal")],
)  # fmt: skip
def test_a_model_gives_the_same_as_a_folder_and_as_a_file(
    host, sd, file, prompts, sampler, schedule
):
    """A file says no spacing of timesteps; nor do the folders people share it in."""
    alone = diffusion.describe(file).model
    apart, together = (
        latent(host, model, *prompts, sampler, schedule) for model in (sd.model, alone)
    )
    assert torch.equal(apart, together)


def test_a_prompt_in_an_area_says_nothing_of_the_rest(host, sd, prompts):
    red, _ = prompts
    empty = replace(red, prompts=(red.empty_prompt,))
    here = diffusion.set_area(red, LEFT, 1.0)
    said = diffusion.combine(here, diffusion.exclude_area(empty, LEFT))
    everywhere = latent(host, sd.model, red, empty)
    assert torch.equal(latent(host, sd.model, here, empty), latent(host, sd.model, said, empty))
    assert not torch.equal(latent(host, sd.model, here, empty), everywhere)
    nowhere = diffusion.set_area(red, Mask(torch.zeros(1, SIZE, SIZE)), 1.0)
    assert torch.allclose(
        latent(host, sd.model, nowhere, empty), latent(host, sd.model, empty, empty), atol=1e-5
    )


def test_strength_counts_for_a_prompt_in_an_area_and_areas_cut_each_other(host, sd, prompts):
    red, _ = prompts
    empty = replace(red, prompts=(red.empty_prompt,))
    whole = Mask(torch.ones(1, SIZE, SIZE))
    weak, full, none = (
        latent(host, sd.model, each, empty)
        for each in (
            diffusion.set_area(red, whole, 0.5),
            diffusion.set_area(red, whole, 1.0),
            empty,
        )
    )
    assert float((weak - none).abs().max()) < float((full - none).abs().max())
    twice = diffusion.set_area(diffusion.set_area(red, LEFT, 1.0), Mask(1 - LEFT.values), 1.0)
    area = twice.prompts[0].area
    assert area is not None
    assert float(area.values.max()) == 0.0


def test_areas_for_another_number_of_pictures_are_refused(host, sd, prompts):
    three = Mask(LEFT.values.repeat(3, 1, 1))
    with pytest.raises(ConditioningMismatchError, match="3 masks for 1 pictures"):
        latent(host, sd.model, diffusion.set_area(prompts[0], three, 1.0), prompts[1])


def test_a_damaged_denoiser_is_said_to_be_one_and_leaves_no_checkpoint(host, file, prompts):
    with pytest.raises(DenoiseError, match=r"no number .* in step 1 of 4"):
        latent(host, spoiled(file, "model.diffusion_model.input_blocks.0.0.weight").model, *prompts)
    assert not host.steps.kept


def test_a_damaged_vae_is_said_to_be_one(host, file):
    made = diffusion.empty("sd", 4, 8, SIZE, SIZE, 1)
    with (
        host.use(spoiled(file, "first_stage_model.decoder.conv_in.weight").vae) as vae,
        pytest.raises(VaeError, match="no number"),
    ):
        diffusion.decode(vae, made)


@pytest.mark.parametrize("schedule", ["simple", "beta", "sgm_uniform"])
def test_restart_goes_back_up_on_every_schedule(host, sd, prompts, schedule):
    latent(host, sd.model, *prompts, "restart", schedule, steps=20)
    assert host.model_calls > 2 * 20 - 1


def test_ddim_uniform_is_refused_where_it_leaves_out_the_noise(host, sd, prompts):
    for sampler in ("ddim", "restart"):
        with pytest.raises(ScheduleError, match="600 steps leaves out the noisiest"):
            latent(host, sd.model, *prompts, sampler, "ddim_uniform", steps=600)
