"""Qwen-Image Layered: a picture is taken apart into layers with alpha."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_transformers
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_layered
from PIL import Image as Pillow

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.diffusion.guidance.formulas import as_long_tokens
from nodeforge.diffusion.schedules.resolution_shift import mu_of
from nodeforge.diffusion.tensors.packing import pack
from nodeforge.diffusion.text.references import reference_size
from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES, ScheduleShift, recognise, resolve
from nodeforge.models.auto_settings import SamplingSettings
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule, Tiling
from support.pipeline_inputs import SEED, difference, generator

FAMILY, PROMPT, NEGATIVE, STEPS = "qwen_image_layered", "a fox before a wood", "blurry", 3
SIZE, LAYERS = 64, 2
"""Of the picture and its layers, pixels, and how many of these."""


@pytest.fixture(scope="module")
def pipeline():
    made = tiny_transformers.qwen_image_layered()
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    root = tmp_path_factory.mktemp("layered") / "any"
    pipeline.save_pretrained(root)
    return root


@pytest.fixture
def small(monkeypatch):
    """Pictures are taken apart in a smaller size than 640."""
    sized = pipeline_qwenimage_layered.calculate_dimensions
    monkeypatch.setattr(
        pipeline_qwenimage_layered,
        "calculate_dimensions",
        lambda area, ratio: sized(SIZE * SIZE, ratio),
    )


def picture(width=SIZE, height=SIZE):
    chance = np.random.default_rng(3)
    return Pillow.fromarray(chance.integers(0, 256, (height, width, 4), dtype=np.uint8), "RGBA")


def shown(seen):
    return Image(torch.from_numpy(np.asarray(seen, np.float32) / 255)[None])


def said(host, folder, text, seen):
    """As 'Encode instruction' makes it."""
    described, image = diffusion.describe(folder), shown(seen)
    with host.use(described.vae) as vae:
        latent = diffusion.encode_reference(vae, image, FAMILY)
    with host.use(described.text_encoder) as encoder:
        told = diffusion.encode_text(encoder, described.text_encoder, text, pictures=[image])
    return diffusion.with_references(told, [latent])


def task_of(host, folder, seen, scale=4.0, **more):
    noise = Noise(SEED, frames=LAYERS + 1)
    task = Denoising(
        diffusion.describe(folder).model,
        said(host, folder, PROMPT, seen),
        Sampler("flow_euler"),
        Schedule("simple", STEPS),
        Guidance(scale),
        said(host, folder, NEGATIVE, seen),
        noise=noise,
    )
    return replace(task, **more)


@pytest.mark.parametrize(("sides", "scale"), [((SIZE, SIZE), 4.0), ((96, 32), 1.0)])
def test_it_takes_a_picture_apart_as_its_pipeline(host, folder, pipeline, small, sides, scale):
    assert recognise(folder).family == FAMILY
    seen = picture(*sides)
    ours = diffusion.denoise(host, task_of(host, folder, seen, scale))
    with host.use(diffusion.describe(folder).vae) as vae:
        made = diffusion.decode(vae, ours).pixels

    walked = []

    def keep(_, step, time, told):  # its output type "latent" fails
        walked.append(told["latents"])
        return told

    (layers,) = pipeline(
        image=seen, prompt=PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS,
        true_cfg_scale=scale, cfg_normalize=True, layers=LAYERS, generator=generator(),
        output_type="np", callback_on_step_end=keep,
    ).images  # fmt: skip
    tokens = [pack(each) for each in ours.samples.unbind(2)]
    assert difference(torch.cat(tokens, 1), walked[-1]) == 0.0
    assert made.shape == (LAYERS, sides[1], sides[0], 4)
    assert difference(made, torch.from_numpy(layers)) == 0.0


def test_the_usual_number_of_layers_and_settings_are_the_model_s(host, folder):
    seen = picture(SIZE, SIZE)
    told = task_of(host, folder, seen, noise=Noise(SEED), guidance=Guidance(None))
    assert diffusion.denoise(host, told).frames == FAMILIES[FAMILY].layers + 1
    made = resolve(SamplingSettings(), FAMILY)
    assert (made.steps, made.guidance, made.width, made.height) == (50, 4.0, 640, 640)
    assert reference_size(1920, 1080, FAMILY) == (864, 480, True)  # as its pipeline's 640


@pytest.mark.parametrize("stop", range(1, STEPS))
def test_every_step_is_entered_again(host, residency, folder, stop):
    task = task_of(host, folder, picture())
    whole = diffusion.denoise(host, task).samples
    again = diffusion.LocalHost(residency)
    diffusion.denoise(again, replace(task, stop_at=stop))
    assert torch.equal(diffusion.denoise(again, task).samples, whole)
    assert again.model_calls == host.model_calls


def test_no_negative_prompt_is_the_empty_one_with_the_picture(host, folder):
    task = task_of(host, folder, picture())
    empty = replace(task, negative=said(host, folder, "", picture()))
    alone = diffusion.denoise(host, replace(task, negative=None)).samples
    assert torch.equal(alone, diffusion.denoise(host, empty).samples)


def test_each_picture_of_a_video_s_guidance_is_kept_as_long_by_tokens():
    made, wanted = torch.randn(2, 2, 8, 3, 4, 4)
    kept = as_long_tokens(made, wanted)
    for at in range(3):
        assert torch.equal(kept[:, :, at], as_long_tokens(made[:, :, at], wanted[:, :, at]))


def test_what_it_does_not_take_is_refused_in_words(host, folder):
    task = task_of(host, folder, picture())
    latent = diffusion.denoise(host, replace(task, stop_at=1))
    without = task.positive.each(references=())
    flat = replace(latent, samples=latent.samples[:, :, 0], layout="BCHW")
    refused = {
        "shows it none": replace(task, positive=without),
        "as large as their picture": replace(task, noise=Noise(SEED, 32, 32, frames=3)),
        "without a layer": replace(task, noise=Noise(SEED, frames=1)),
        "no picture with its layers": replace(task, latent=flat),
        "not denoised in tiles": replace(task, model=replace(task.model, tiling=Tiling(32, 8))),
    }
    for words, wrong in refused.items():
        with pytest.raises(NodeForgeError, match=words):
            diffusion.denoise(host, wrong)
    two = [*task.positive.prompts[0].references] * 2
    with pytest.raises(NodeForgeError, match="takes 1 reference picture, these are 2"):
        diffusion.with_references(task.positive, two)
    with host.use(diffusion.describe(folder).vae) as vae:
        with pytest.raises(NodeForgeError, match="a picture and its layers"):
            diffusion.decode_video(vae, latent)
        assert diffusion.decode(vae, flat).pixels.shape == (1, SIZE, SIZE, 4)


def test_noise_levels_move_by_the_square_root_of_how_much_larger_a_picture_is():
    told = {"use_dynamic_shifting": True}
    assert mu_of(ScheduleShift.SQUARE_ROOT, told, 1600, 50) == 2.5
