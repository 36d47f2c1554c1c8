"""SD 2.1 and SDXL's refiner against diffusers' pipelines: max abs difference 0.0."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_models
import torch
from diffusers import (
    EulerDiscreteScheduler,
    LCMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    UNet2DConditionModel,
)

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise
from nodeforge.values import AddedConditions, Guidance, Noise, Sampler, Schedule
from support.pipeline_inputs import (
    SCALE,
    SEED,
    SIZE,
    STEPS,
    as_image,
    as_mask,
    asked,
    generator,
    hole,
    picture,
)


@pytest.fixture(scope="module")
def refiner(tmp_path_factory):
    return tiny_models.write_folder(tmp_path_factory.mktemp("refiner"), family="sdxl_refiner")


def encoded(host, described):
    with host.use(described.text_encoder) as encoder:
        family = diffusion.behaviour(encoder.family)
        return [family.encode(encoder, text) for text in ("a red cat", "blurry")]


def task_of(described, prompts, strength=1.0, **more):
    return Denoising(
        described.model, prompts[0], Sampler("euler"), Schedule("normal", STEPS, strength),
        Guidance(SCALE), prompts[1], **more,
    )  # fmt: skip


def theirs(kind, folder, **more):
    made = kind.from_pretrained(
        folder, **({} if "XL" in kind.__name__ else {"safety_checker": None})
    )
    made.set_progress_bar_config(disable=True)
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    return made(
        **asked(**more)
    ).images  # fmt: skip


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_sd21(host, tmp_path, prediction):
    folder = tiny_models.write_folder(tmp_path / "m", family="sd21", prediction=prediction)
    described = diffusion.describe(folder)
    task = task_of(described, encoded(host, described), noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    wanted = theirs(StableDiffusionPipeline, folder, height=SIZE, width=SIZE)
    assert float((ours - wanted).abs().max()) == 0.0


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_a_denoiser_of_lcm_is_told_the_guidance_scale(host, tmp_path, scale):
    folder = tiny_models.write_folder(tmp_path / "m")
    config = UNet2DConditionModel.load_config(folder / "unet")
    torch.manual_seed(7)
    distilled = UNet2DConditionModel.from_config({**config, "time_cond_proj_dim": 64})
    distilled.save_pretrained(folder / "unet")
    described = diffusion.describe(folder)
    task = task_of(described, encoded(host, described), noise=Noise(SEED, SIZE, SIZE))
    task = replace(task, guidance=Guidance(scale), sampler=Sampler("lcm"))
    ours = diffusion.denoise(host, task).samples
    made = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    made.scheduler = LCMScheduler.from_config(made.scheduler.config)
    wanted = made(
        "a red cat", num_inference_steps=STEPS, guidance_scale=scale, generator=generator(),
        height=SIZE, width=SIZE, output_type="latent",
    ).images  # fmt: skip
    assert float((ours - wanted).abs().max()) == 0.0
    other = diffusion.denoise(host, replace(task, guidance=Guidance(scale + 1))).samples
    assert float((ours - other).abs().max()) > 0


def test_the_option_of_the_node_decides_what_a_model_predicts(host, tmp_path):
    folder = tiny_models.write_folder(tmp_path / "m", family="sd21", prediction="v_prediction")
    told = diffusion.describe(folder, "epsilon")
    assert diffusion.facts(told.model).scheduler["prediction_type"] == "epsilon"
    alone = diffusion.describe(folder)
    assert diffusion.facts(alone.model).scheduler["prediction_type"] == "v_prediction"


def test_inpainting_with_sd21(host, tmp_path):
    folder = tiny_models.write_folder(tmp_path / "m", family="sd21", inpainting=True)
    described = diffusion.describe(folder)
    mask = as_mask(hole())
    random = generator()
    noise = diffusion.start_noise([random], (4, SIZE // 8, SIZE // 8))
    with host.use(described.vae) as vae:
        masked = diffusion.masked_picture(as_image(picture()), mask)
        seen = diffusion.encode(vae, masked, generators=[random])
    task = task_of(
        described, encoded(host, described),
        noise=DrawnNoise(noise, (random,), (SEED,)), mask=mask, masked_image=seen,
    )  # fmt: skip
    wanted = theirs(
        StableDiffusionInpaintPipeline, folder, image=picture(), mask_image=hole(), strength=1.0,
        height=SIZE, width=SIZE,
    )  # fmt: skip
    assert float((diffusion.denoise(host, task).samples - wanted).abs().max()) == 0.0


@pytest.mark.parametrize("score", [None, 8.0])
def test_the_refiner_goes_over_a_picture(host, refiner, score):
    described = diffusion.describe(refiner)
    random = generator()
    with host.use(described.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    assert latent.space == "sdxl"
    noise = DrawnNoise(
        diffusion.start_noise([random], latent.samples.shape[1:]), (random,), (SEED,)
    )
    prompts = encoded(host, described)
    prompts[0] = diffusion.set_added_conditions(prompts[0], AddedConditions(aesthetic=score))
    task = task_of(described, prompts, 0.5, noise=noise, latent=latent)
    wanted = theirs(
        StableDiffusionXLImg2ImgPipeline, refiner, image=picture(), strength=0.5,
        aesthetic_score=score or 6.0,
    )  # fmt: skip
    assert float((diffusion.denoise(host, task).samples - wanted).abs().max()) == 0.0


def test_the_refiner_goes_on_where_the_base_stops(host, sdxl, refiner):
    """As diffusers' denoising_end and denoising_start, half of the steps each."""
    described = diffusion.describe(refiner)
    base = task_of(sdxl, encoded(host, sdxl), noise=Noise(SEED, SIZE, SIZE))
    half = diffusion.denoise(host, Denoising(**{**vars(base), "stop_at": 2}))
    task = task_of(described, encoded(host, described), latent=half, start_at=2)
    ours = diffusion.denoise(host, task).samples
    unscaled = half.samples  # Euler's x is clean + sigma * noise, as the latent is
    wanted = theirs(
        StableDiffusionXLImg2ImgPipeline, refiner, image=unscaled, denoising_start=0.5,
    )  # fmt: skip
    assert float((ours - wanted).abs().max()) == 0.0
