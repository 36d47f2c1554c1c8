"""Our loop against diffusers' pipelines: max abs difference 0.0 in float32 on the CPU.

Random numbers are drawn in the pipelines' order: image to image and 4-channel inpainting
encode before they draw noise, 9-channel inpainting the other way round.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
)

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise
from nodeforge.diffusion.samplers.diffusers_stepper import NATIVE, settings_of
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from support.pipeline_inputs import (
    SCALE,
    SEED,
    SIZE,
    STEPS,
    as_image,
    as_mask,
    asked,
    difference,
    generator,
    hole,
    picture,
)

# diffusers' schedulers hand numpy arrays to torch the old way, thousands of times.
pytestmark = pytest.mark.filterwarnings("ignore:__array_")

PAIRS = [
    (name, schedule)
    for name, native in NATIVE.items()
    for schedule in native.schedules
    if schedule != "custom"
]


def quick(pair):
    """One schedule a sampler; the others take long and are alike."""
    name, schedule = pair
    often = schedule == ("karras" if "karras" in NATIVE[name].schedules else "normal")
    return pytest.param(*pair, marks=() if often else pytest.mark.slow)


# DPM2's scheduler alone takes 0.2 s to make.
pairs = pytest.mark.parametrize(
    ("sampler", "schedule"),
    [quick(pair) if pair[0].startswith("dpm2") else pair for pair in PAIRS],
)
# Diffusers' pipelines start PNDM wrongly within a schedule; ours differ on purpose.
PARTLY = [quick(pair) for pair in PAIRS if pair[0] != "pndm"]
partly = pytest.mark.parametrize(("sampler", "schedule"), PARTLY)


@cache
def loaded(kind, folder):
    made = kind.from_pretrained(folder, safety_checker=None, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    return made, made.scheduler.config


def pipeline(kind, folder, sampler="euler", schedule="normal"):
    made, config = loaded(kind, folder)
    settings = settings_of(sampler, schedule)
    if sampler == "dpmpp_sde":
        settings["noise_sampler_seed"] = SEED
    given = json.dumps(dict(config)), json.dumps(settings)
    made.scheduler = deepcopy(scheduler_of(NATIVE[sampler].scheduler, *given))
    return made


@cache
def scheduler_of(kind, config, settings):
    """Made once: DPM2's takes 0.2 s."""
    return getattr(diffusers, kind).from_config(json.loads(config), **json.loads(settings))


def task_of(described, prompts, sampler, schedule, **more):
    given = {"scale": SCALE, "strength": 1.0, "steps": STEPS} | more
    scale, strength, steps = given.pop("scale"), given.pop("strength"), given.pop("steps")
    return Denoising(
        described.model,
        prompts[0],
        Sampler(sampler),
        Schedule(schedule, steps, strength),
        Guidance(scale, given.pop("rescale", 0.0)),
        prompts[1],
        **given,
    )


@pairs
def test_text_to_image(host, sd, sd_folder, prompts, sampler, schedule):
    task = task_of(sd, prompts, sampler, schedule, noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionPipeline, sd_folder, sampler, schedule)
    theirs = made(**asked(height=SIZE, width=SIZE, eta=NATIVE[sampler].eta or 0.0)).images
    assert difference(ours, theirs) == 0.0


@partly
def test_image_to_image(host, sd, sd_folder, prompts, sampler, schedule):
    random = generator()
    with host.use(sd.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    noise = DrawnNoise(
        diffusion.start_noise([random], latent.samples.shape[1:]), (random,), (SEED,)
    )
    task = task_of(sd, prompts, sampler, schedule, noise=noise, latent=latent, strength=0.5)
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionImg2ImgPipeline, sd_folder, sampler, schedule)
    theirs = made(**asked(image=picture(), strength=0.5, eta=NATIVE[sampler].eta or 0.0)).images
    assert difference(ours, theirs) == 0.0


@pytest.mark.parametrize(
    ("sampler", "schedule", "strength"),
    [
        *(pytest.param(*pair.values, 0.5, marks=pair.marks) for pair in PARTLY),
        *(("ddim", "normal", 1.0), ("heun", "karras", 1.0), ("pndm", "normal", 1.0)),
    ],
)
def test_inpainting_with_four_channels(host, sd, sd_folder, prompts, sampler, schedule, strength):
    random = generator()
    with host.use(sd.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    noise = DrawnNoise(
        diffusion.start_noise([random], latent.samples.shape[1:]), (random,), (SEED,)
    )
    task = task_of(
        sd, prompts, sampler, schedule,
        noise=noise, latent=latent, mask=as_mask(hole()), strength=strength,
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionInpaintPipeline, sd_folder, sampler, schedule)
    given = asked(
        image=picture(), mask_image=hole(), strength=strength, height=SIZE, width=SIZE,
        eta=NATIVE[sampler].eta or 0.0,
    )  # fmt: skip
    # the pipeline encodes the masked picture after drawing noise, though it does not use it
    given["masked_image_latents"] = latent.samples
    assert difference(ours, made(**given).images) == 0.0


@partly
def test_inpainting_with_nine_channels(host, prompts, inpainting_folder, sampler, schedule):
    described = diffusion.describe(inpainting_folder)
    random = generator()
    noise = diffusion.start_noise([random], (4, SIZE // 8, SIZE // 8))
    masked = diffusion.masked_picture(as_image(picture()), as_mask(hole()))
    with host.use(described.vae) as vae:
        seen = diffusion.encode(vae, masked, generators=[random])
    task = task_of(
        described, prompts, sampler, schedule,
        noise=DrawnNoise(noise, (random,), (SEED,)), mask=as_mask(hole()), masked_image=seen,
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionInpaintPipeline, inpainting_folder, sampler, schedule)
    given = asked(
        image=picture(), mask_image=hole(), strength=1.0, height=SIZE, width=SIZE,
        eta=NATIVE[sampler].eta or 0.0,
    )  # fmt: skip
    assert difference(ours, made(**given).images) == 0.0


@pytest.mark.parametrize("sampler", [name for name in NATIVE if NATIVE[name].schedules])
def test_a_model_that_predicts_v(host, prompts, v_folder, sampler):
    described = diffusion.describe(v_folder)
    task = task_of(described, prompts, sampler, "normal", noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionPipeline, v_folder, sampler)
    given = asked(height=SIZE, width=SIZE, eta=NATIVE[sampler].eta or 0.0)
    assert torch.equal(ours, made(**given).images)


def test_custom_sigmas(host, sd, sd_folder, prompts):
    sigmas = (14.0, 6.0, 2.5, 1.0, 0.3, 0.0)
    task = Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("custom", 5, sigmas=sigmas),
        Guidance(SCALE), prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionPipeline, sd_folder)
    given = asked(sigmas=list(sigmas), height=SIZE, width=SIZE)
    assert difference(ours, made(**given).images) == 0.0


@pytest.mark.parametrize(("scale", "rescale"), [(1.0, 0.0), (7.5, 0.7)])
def test_guidance_off_and_rescaled(host, sd, sd_folder, prompts, scale, rescale):
    task = task_of(
        sd, prompts, "ddim", "normal",
        noise=Noise(SEED, SIZE, SIZE), scale=scale, rescale=rescale,
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples
    given = asked(height=SIZE, width=SIZE, guidance_scale=scale, guidance_rescale=rescale)
    assert torch.equal(ours, pipeline(StableDiffusionPipeline, sd_folder, "ddim")(**given).images)


def test_eta_of_ddim(host, sd, sd_folder, prompts):
    task = Denoising(
        sd.model, prompts[0], Sampler("ddim", 0.6), Schedule("normal", 4), Guidance(SCALE),
        prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples
    given = asked(height=SIZE, width=SIZE, eta=0.6)
    assert torch.equal(ours, pipeline(StableDiffusionPipeline, sd_folder, "ddim")(**given).images)


def test_a_missing_negative_prompt_is_the_empty_one(host, sd, sd_folder, prompts):
    task = task_of(sd, (prompts[0], None), "euler", "normal", noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    given = asked(height=SIZE, width=SIZE, negative_prompt=None)
    assert torch.equal(ours, pipeline(StableDiffusionPipeline, sd_folder)(**given).images)


def test_the_decoded_picture(host, sd, sd_folder, prompts):
    task = task_of(sd, prompts, "euler", "normal", noise=Noise(SEED, SIZE, SIZE))
    with host.use(sd.vae) as vae:
        ours = diffusion.decode(vae, diffusion.denoise(host, task)).pixels
    made = pipeline(StableDiffusionPipeline, sd_folder)
    theirs = made(**asked(height=SIZE, width=SIZE, output_type="np")).images
    assert np.array_equal(ours.numpy(), theirs)


def test_a_batch_with_one_generator_an_item(host, sd, sd_folder, prompts):
    task = task_of(sd, prompts, "euler_a", "normal", noise=Noise(SEED, SIZE, SIZE, batch=3))
    ours = diffusion.denoise(host, task).samples
    generators = [torch.Generator().manual_seed(SEED + item) for item in range(3)]
    given = asked(height=SIZE, width=SIZE, generator=generators, num_images_per_prompt=3)
    made = pipeline(StableDiffusionPipeline, sd_folder, "euler_a")
    assert difference(ours, made(**given).images) == 0.0


def test_a_prompt_equals_the_pipelines(host, sd, sd_folder: Path):
    made = pipeline(StableDiffusionPipeline, sd_folder)
    for text in ("a red cat", "", "Ünïcödé — 日本語 🙂, it's 100 %"):
        with host.use(sd.text_encoder) as encoder, torch.no_grad():
            ours = diffusion.encode_prompt(encoder, text)
            theirs = made.encode_prompt(text, "cpu", 1, do_classifier_free_guidance=False)[0]
        assert torch.equal(ours.prompts[0].embedding, theirs)
