"""Models trained up to nothing but noise: diffusers' schedulers to the bit, ours beside them."""

from __future__ import annotations

import diffusers
import pytest
import tiny_models
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LoadingError
from nodeforge.diffusion.samplers.diffusers_stepper import NATIVE, settings_of
from nodeforge.diffusion.samplers.sigma_stepper import OWN
from nodeforge.diffusion.schedules.schedule import trained_betas, trained_sigmas
from nodeforge.models import recognise
from nodeforge.values import Guidance, Noise, Sampler, Schedule

pytestmark = pytest.mark.filterwarnings("ignore:__array_", "ignore:Should have ta>=t0")

SEED, SIZE = 5, 32
ZERO = "rescale_betas_zero_snr"
KNOWING = (
    *("euler", "euler_a", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "unipc"),
    *("ddim", "ddpm", "lcm", "tcd"),
)
"""Samplers whose scheduler in diffusers can do it itself."""
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", ZERO: True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("zero")
    return tiny_models.write_folder(made, prediction="v_prediction", zero_snr=True)


@pytest.fixture(scope="module")
def pipeline(folder):
    made = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, requires_safety_checker=False
    )
    made.set_progress_bar_config(disable=True)
    return made, made.scheduler.config


def ours(host, model, prompts, sampler, schedule="normal"):
    task = Denoising(
        model, prompts[0], Sampler(sampler), Schedule(schedule, 4), Guidance(7.5), prompts[1],
        noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    return diffusion.denoise(host, task).samples


def test_the_trained_sigmas_are_diffusers_own():
    theirs = diffusers.EulerDiscreteScheduler(**BETAS).alphas_cumprod.double()
    assert torch.equal(trained_sigmas(BETAS), ((1 - theirs) / theirs) ** 0.5)
    assert float(trained_sigmas(BETAS)[-1]) == pytest.approx(4096)
    again = trained_sigmas({"trained_betas": trained_betas(BETAS)})
    assert torch.allclose(again, trained_sigmas(BETAS), rtol=1e-3)


@pytest.mark.parametrize("sampler", [name for name in NATIVE if NATIVE[name].schedules])
def test_native_samplers_equal_the_pipelines(host, folder, prompts, pipeline, sampler):
    made, config = pipeline
    kind = getattr(diffusers, NATIVE[sampler].scheduler)
    settings = settings_of(sampler, "normal")
    if sampler not in KNOWING:  # these leave it out silently; they are given its betas
        settings["trained_betas"] = trained_betas(BETAS)
    if sampler == "dpmpp_sde":
        settings["noise_sampler_seed"] = SEED
    made.scheduler = kind.from_config(config, **settings)
    theirs = made(
        "a red cat", negative_prompt="blurry", num_inference_steps=4, height=SIZE, width=SIZE,
        generator=torch.Generator().manual_seed(SEED), output_type="latent",
        eta=NATIVE[sampler].eta or 0.0,
    ).images  # fmt: skip
    got = ours(host, diffusion.describe(folder).model, prompts, sampler)
    assert torch.equal(got, theirs)
    assert got.isfinite().all()


@pytest.mark.parametrize("sampler", [name for name in OWN if not OWN[name].flow])
def test_our_samplers_walk_it(host, folder, prompts, sampler):
    assert ours(host, diffusion.describe(folder).model, prompts, sampler, "simple").isfinite().all()


@pytest.mark.parametrize(
    ("name", "marks", "wanted", "zero"),
    [
        ("vpred_ztsnr", {}, None, True),
        ("vpred", {"ztsnr": torch.zeros(0)}, None, True),
        ("vpred", {}, None, False),
        ("vpred", {}, True, True),
        ("vpred_ztsnr", {}, False, False),
        ("ztsnr", {}, None, False),  # no model of epsilon can be
        ("any", {"ztsnr": torch.zeros(0)}, None, False),
    ],
)
def test_a_single_file_says_it_or_the_person_does(folder, tmp_path, name, marks, wanted, zero):
    file = tmp_path / f"{name}.safetensors"
    tiny_models.write_single_file(folder, file)
    if marks:
        save_file(load_file(file) | marks, file)
    scheduler = diffusion.facts(diffusion.describe(file, zero_snr=wanted).model).scheduler
    assert scheduler.get(ZERO, False) is zero
    assert (scheduler.get("timestep_spacing") == "trailing") is zero
    assert recognise(folder).zero_snr


@pytest.mark.parametrize(
    ("kind", "prediction"),
    [("file that does not say", ""), ("file", "epsilon"), ("folder", ""), ("vpred", "epsilon")],
)
def test_a_model_of_epsilon_is_refused(sd_folder, tmp_path, kind, prediction):
    path = sd_folder
    if kind != "folder":
        path = tiny_models.write_single_file(sd_folder, tmp_path / f"{kind}.safetensors")
    for describe in (diffusion.describe, diffusion.describe_denoiser):
        with pytest.raises(LoadingError, match="predicts epsilon") as refused:
            describe(path, prediction, zero_snr=True)
        assert "say so in 'prediction'" in refused.value.way_out
        assert describe(path, "v_prediction", zero_snr=True)
        assert describe(path, prediction, zero_snr=False)
        assert describe(path, prediction)


def test_who_says_epsilon_of_a_file_that_says_v_says_so_of_its_noise_too(sd_folder, tmp_path):
    file = tiny_models.write_single_file(sd_folder, tmp_path / "vpred_ztsnr.safetensors")
    assert diffusion.describe(file).model.zero_snr
    assert not diffusion.describe(file, "epsilon").model.zero_snr
