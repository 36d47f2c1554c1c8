"""SDXL against diffusers' pipelines: max abs difference 0.0 in float32 on the CPU."""

from __future__ import annotations

from functools import cache

import diffusers
import numpy as np
import pytest
import tiny_models
import torch
from diffusers import (
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise
from nodeforge.diffusion.samplers.diffusers_stepper import NATIVE, settings_of
from nodeforge.values import AddedConditions, Guidance, Noise, Sampler, Schedule
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

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

SAMPLERS = [
    ("euler", "normal"), ("euler_a", "normal"), ("dpmpp_2m", "karras"), ("ddim", "normal"),
    ("heun", "sgm_uniform"), ("unipc", "normal"), ("lcm", "normal"),
]  # fmt: skip


@pytest.fixture
def folder(sdxl_folder):
    return sdxl_folder


@pytest.fixture(scope="module")
def inpainting(tmp_path_factory):
    path = tmp_path_factory.mktemp("sdxl_inpainting")
    return tiny_models.write_folder(path, family="sdxl", inpainting=True)


@pytest.fixture(scope="module")
def xl(sdxl):
    return sdxl


def encoded(host, described, *texts, clip_skip=0):
    with host.use(described.text_encoder) as encoder:
        family = diffusion.behaviour(encoder.family)
        return [family.encode(encoder, text, clip_skip) for text in texts]


@pytest.fixture(scope="module")
def prompts(xl, residency):
    return encoded(diffusion.LocalHost(residency), xl, "a red cat", "blurry")


@cache
def components(folder):
    made = StableDiffusionXLPipeline.from_pretrained(folder)
    # for weights that could be trained torch takes another convolution, in batches of the VAE
    made.vae.requires_grad_(False)
    return made.components


def pipeline(kind, folder, sampler="euler", schedule="normal"):
    made = kind(**components(folder), add_watermarker=False)
    made.set_progress_bar_config(disable=True)
    scheduler = getattr(diffusers, NATIVE[sampler].scheduler)
    made.scheduler = scheduler.from_config(
        components(folder)["scheduler"].config, **settings_of(sampler, schedule)
    )
    return made


def task_of(described, prompts, sampler="euler", schedule="normal", strength=1.0, **more):
    return Denoising(
        described.model, prompts[0], Sampler(sampler), Schedule(schedule, STEPS, strength),
        Guidance(SCALE), prompts[1], **more,
    )  # fmt: skip


@pytest.mark.parametrize(("sampler", "schedule"), SAMPLERS)
def test_text_to_image(host, xl, folder, prompts, sampler, schedule):
    task = task_of(xl, prompts, sampler, schedule, noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionXLPipeline, folder, sampler, schedule)
    theirs = made(**asked(height=SIZE, width=SIZE, eta=NATIVE[sampler].eta or 0.0)).images
    assert difference(ours, theirs) == 0.0


def test_a_batch_and_the_decoded_picture(host, xl, folder, prompts):
    task = task_of(xl, prompts, noise=Noise(SEED, SIZE, SIZE, batch=2))
    with host.use(xl.vae) as vae:
        ours = diffusion.decode(vae, diffusion.denoise(host, task)).pixels
    generators = [torch.Generator().manual_seed(SEED + item) for item in range(2)]
    theirs = pipeline(StableDiffusionXLPipeline, folder)(
        **asked(height=SIZE, width=SIZE, generator=generators, num_images_per_prompt=2,
                output_type="np")
    ).images  # fmt: skip
    assert np.array_equal(ours.numpy(), theirs)


def test_a_missing_negative_prompt_is_nothing_at_all(host, xl, folder, prompts):
    task = task_of(xl, (prompts[0], None), noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionXLPipeline, folder)
    assert (
        difference(ours, made(**asked(height=SIZE, width=SIZE, negative_prompt=None)).images) == 0
    )
    made.register_to_config(force_zeros_for_empty_prompt=False)
    other = made(**asked(height=SIZE, width=SIZE, negative_prompt=None)).images
    assert difference(ours, other) > 0


def test_sizes_of_the_training_pictures(host, xl, folder, prompts):
    wanted = AddedConditions(original=(96, 80), crop=(8, 4), target=(72, 88))
    unwanted = AddedConditions(original=(32, 40), crop=(1, 2), target=(48, 56))
    framed = (
        diffusion.set_added_conditions(prompts[0], wanted),
        diffusion.set_added_conditions(prompts[1], unwanted),
    )
    ours = diffusion.denoise(host, task_of(xl, framed, noise=Noise(SEED, SIZE, SIZE))).samples
    theirs = pipeline(StableDiffusionXLPipeline, folder)(
        **asked(
            height=SIZE, width=SIZE, original_size=(80, 96), crops_coords_top_left=(4, 8),
            target_size=(88, 72), negative_original_size=(40, 32),
            negative_crops_coords_top_left=(2, 1), negative_target_size=(56, 48),
        )
    ).images  # fmt: skip
    assert difference(ours, theirs) == 0.0
    plain = diffusion.denoise(host, task_of(xl, prompts, noise=Noise(SEED, SIZE, SIZE))).samples
    assert difference(ours, plain) > 0


@pytest.mark.parametrize("clip_skip", [0, 1])
def test_prompts_and_clip_skip(host, xl, folder, clip_skip):
    made = pipeline(StableDiffusionXLPipeline, folder)
    for text in ("a red cat", "", "Ünïcödé — 日本語 🙂"):
        (ours,) = encoded(host, xl, text, clip_skip=clip_skip)
        with torch.no_grad():
            theirs = made.encode_prompt(
                text, do_classifier_free_guidance=False, clip_skip=clip_skip or None
            )
        assert torch.equal(ours.prompts[0].embedding, theirs[0])
        assert torch.equal(ours.prompts[0].pooled, theirs[2])


def test_weights_count_in_both_text_encoders(host, xl):
    plain, weighed, empty = encoded(host, xl, "a red cat", "a (red:1.5) cat", "")
    one, other = plain.prompts[0].embedding, weighed.prompts[0].embedding
    moved = empty.empty + 1.5 * (one - empty.empty)
    changed = (one != other).any(-1)[0]
    assert 0 < changed.sum() < 8
    assert torch.allclose(other[:, changed], moved[:, changed])
    assert (one != other).any(1)[0, :768].any()
    assert (one != other).any(1)[0, 768:].any()


def test_a_long_prompt_is_pooled_by_its_first_chunk(host, xl):
    long, start = encoded(host, xl, "cat " * 100, "cat " * 75)
    assert long.prompts[0].embedding.shape[1] > 77
    chunks = long.prompts[0].pooled, long.prompts[0].embedding[:, :77]
    assert chunks[0].shape == (1, 1280)
    assert torch.isfinite(chunks[1]).all()
    assert start.empty_pooled.shape == (1, 1280)


@pytest.mark.parametrize(("sampler", "schedule"), SAMPLERS[:4])
def test_image_to_image(host, xl, folder, prompts, sampler, schedule):
    random = generator()
    with host.use(xl.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    noise = DrawnNoise(
        diffusion.start_noise([random], latent.samples.shape[1:]), (random,), (SEED,)
    )
    task = task_of(xl, prompts, sampler, schedule, 0.5, noise=noise, latent=latent)
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionXLImg2ImgPipeline, folder, sampler, schedule)
    theirs = made(**asked(image=picture(), strength=0.5, eta=NATIVE[sampler].eta or 0.0)).images
    assert difference(ours, theirs) == 0.0


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize(("sampler", "schedule"), SAMPLERS[:3])
def test_inpainting_with_four_channels(host, xl, folder, prompts, sampler, schedule, strength):
    random = generator()
    with host.use(xl.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    noise = DrawnNoise(
        diffusion.start_noise([random], latent.samples.shape[1:]), (random,), (SEED,)
    )
    task = task_of(
        xl, prompts, sampler, schedule, strength, noise=noise, latent=latent, mask=as_mask(hole())
    )
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionXLInpaintPipeline, folder, sampler, schedule)
    words = asked(image=picture(), mask_image=hole(), strength=strength, height=SIZE, width=SIZE)
    words["masked_image_latents"] = latent.samples  # else drawn for, though it is not used
    assert difference(ours, made(**words).images) == 0.0


@pytest.mark.parametrize(("sampler", "schedule"), SAMPLERS[:3])
def test_inpainting_with_nine_channels(host, inpainting, prompts, sampler, schedule):
    described = diffusion.describe(inpainting)
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
    made = pipeline(StableDiffusionXLInpaintPipeline, inpainting, sampler, schedule)
    words = asked(image=picture(), mask_image=hole(), strength=1.0, height=SIZE, width=SIZE)
    assert difference(ours, made(**words).images) == 0.0
