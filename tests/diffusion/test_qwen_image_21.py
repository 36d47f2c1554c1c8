"""Qwen-Image 2.1 beside what all families of transformers are tested for: pictures, alpha."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_transformers
import torch
from PIL import Image as Pillow

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.diffusion.text.seeing import ON_WHITE, patches_of
from nodeforge.models import recognise, resolve
from nodeforge.models.auto_settings import SamplingSettings
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule
from nodeforge.values.setting_names import AUTO
from support.pipeline_inputs import SEED, as_image, difference, generator

PROMPT, NEGATIVE, STEPS = "make it night", "blurry", 3
SIZE, SEEN = 64, 64
"""Of new pictures and of references, pixels."""


@pytest.fixture(scope="module")
def pipeline():
    made = tiny_transformers.qwen_image_21()
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    root = tmp_path_factory.mktemp("qwen") / "any"
    pipeline.save_pretrained(root)
    return root


@pytest.fixture
def small(monkeypatch):
    """References are shown with fewer pixels."""
    from nodeforge.models import FAMILIES

    family = replace(FAMILIES["qwen_image_21"], reference_side=SEEN)
    monkeypatch.setitem(FAMILIES, "qwen_image_21", family)


def pictures(count, mode="RGB"):
    chance = np.random.default_rng(3)
    sides = (SEEN, SEEN, len(mode))
    for _ in range(count):
        yield Pillow.fromarray(chance.integers(0, 256, sides, dtype=np.uint8), mode)


def with_alpha(shown):
    return Image(torch.from_numpy(np.asarray(shown, np.float32) / 255)[None])


def said(host, folder, text, shown):
    """As 'Encode instruction' makes it."""
    described, images = diffusion.describe(folder), [with_alpha(each) for each in shown]
    with host.use(described.vae) as vae:
        latents = [diffusion.encode_reference(vae, each, "qwen_image_21") for each in images]
    with host.use(described.text_encoder) as encoder:
        told = diffusion.encode_text(encoder, described.text_encoder, text, pictures=images)
    return diffusion.with_references(told, latents)


def task_of(host, folder, shown, scale=1.0):
    return Denoising(
        diffusion.describe(folder).model,
        said(host, folder, PROMPT, shown),
        Sampler("flow_euler"),
        Schedule("simple", STEPS),
        Guidance(scale),
        said(host, folder, NEGATIVE, shown),
        noise=Noise(SEED, SIZE, SIZE),
    )


@pytest.mark.parametrize(
    ("count", "mode", "scale"), [(1, "RGB", 1.0), (2, "RGB", 3.0), (1, "RGBA", 1.0)]
)
@pytest.mark.parametrize("cached", [True, False])
def test_it_edits_as_its_pipeline(host, folder, pipeline, small, count, mode, scale, cached):
    """Whether that keeps keys and values of what stays, or makes them anew as here."""
    shown = list(pictures(count, mode))
    task = task_of(host, folder, shown, scale)
    ours = diffusion.denoise(host, task)
    with host.use(diffusion.describe(folder).vae) as vae:
        made = diffusion.decode(vae, ours).pixels
    theirs = pipeline(
        image=shown, prompt=PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS,
        true_cfg_scale=scale, generator=generator(), output_type="np", height=SIZE, width=SIZE,
        output_resolution=SEEN, use_kv_cache=cached,
    ).images  # fmt: skip
    assert made.shape[-1] == 4
    assert difference(made, torch.from_numpy(theirs)) == 0.0


def test_each_picture_stands_where_the_words_have_its_place(host, folder, small):
    shown = list(pictures(2))
    task = task_of(host, folder, shown)
    (prompt,) = task.positive.prompts
    first, second = prompt.places
    assert 0 < first < second < prompt.embedding.shape[1]
    ours = diffusion.denoise(host, task).samples
    for changed in ((first, first), (), (first,)):
        moved = task.positive.each(places=changed)
        other = diffusion.denoise(host, replace(task, positive=moved)).samples
        assert difference(ours, other) > 1e-6


def test_every_step_of_an_edit_is_entered_again(host, residency, folder, small):
    task = task_of(host, folder, pictures(1))
    whole = diffusion.denoise(host, task).samples
    again = diffusion.LocalHost(residency)
    diffusion.denoise(again, replace(task, stop_at=1))
    assert torch.equal(diffusion.denoise(again, task).samples, whole)
    assert again.model_calls == host.model_calls


def test_no_negative_prompt_is_the_empty_one_with_the_pictures(host, folder, small):
    shown = list(pictures(1))
    task = task_of(host, folder, shown, 3.0)
    empty = replace(task, negative=said(host, folder, "", shown))
    alone = diffusion.denoise(host, replace(task, negative=None)).samples
    assert torch.equal(alone, diffusion.denoise(host, empty).samples)


def test_alpha_is_coded_with_the_colours_and_seen_on_white(host, folder):
    (shown,) = pictures(1, "RGBA")
    clear = with_alpha(shown)
    with host.use(diffusion.describe(folder).vae) as vae:
        coded = diffusion.encode(vae, clear).samples
        opaque = diffusion.encode(vae, as_image(shown.convert("RGB"))).samples
        assert difference(coded, opaque) > 1e-4
        tiled = diffusion.decode(vae, diffusion.encode(vae, clear, tiled=True), tiled=True)
        assert tiled.pixels.shape == clear.pixels.shape
    white = Image(clear.pixels[..., :3] * clear.pixels[..., 3:] + 1 - clear.pixels[..., 3:])
    with host.use(diffusion.describe(folder).text_encoder) as encoder:
        network = encoder.encoders[0].network
        one, other = (patches_of(network, [each], SEEN, ON_WHITE) for each in (clear, white))
        assert torch.equal(one.values, other.values)


def test_turbo_draws_by_its_own_noise_levels(host, tmp_path):
    made = tiny_transformers.PIPELINES["qwen_image_21_turbo"]()
    made.set_progress_bar_config(disable=True)
    made.save_pretrained(tmp_path / "any")
    assert recognise(tmp_path / "any").variant == "turbo"
    described = diffusion.describe(tmp_path / "any")
    with host.use(described.text_encoder) as encoder:
        prompt = diffusion.encode_text(encoder, described.text_encoder, PROMPT)
    task = Denoising(
        described.model, prompt, Sampler(AUTO), Schedule(AUTO, None), Guidance(None), prompt,
        noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples
    assert host.model_calls == 8
    theirs = made(
        prompt=PROMPT, generator=generator(), output_type="latent", height=SIZE, width=SIZE
    ).images
    assert difference(ours, theirs.transpose(1, 2).reshape(ours.shape)) == 0.0
    six = resolve(SamplingSettings(steps=6), "qwen_image_21", "turbo")
    assert (six.schedule, six.steps) == ("simple", 6)


def test_a_turbo_in_a_file_alone_has_the_same_levels():
    told = resolve(SamplingSettings(), "qwen_image_21", "turbo")
    assert (told.schedule, told.steps, told.guidance) == ("custom", 8, 1.0)
