"""Qwen-Image Edit: its text encoder sees the pictures, and its denoiser their latents."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny_transformers
import torch
from diffusers import QwenImageEditPlusPipeline
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image as Pillow
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.diffusion.text.clip import PromptError
from nodeforge.diffusion.text.references import reference_size
from nodeforge.diffusion.text.seeing import PLACE, patches_of
from nodeforge.models import recognise
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule
from support.pipeline_inputs import SEED, as_image, difference, generator

PROMPT, NEGATIVE, STEPS = "make it night", "blurry", 3
SIZE, SMALL = 224, 64
"""Of the pictures, in whole patches: the text encoder's are not scaled; and as references."""


class Processor:
    """What the pipeline asks of a `Qwen2VLProcessor`, which wants torchvision."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.image_processor = Qwen2VLImageProcessorPil()

    def __call__(self, text, images, **more):
        seen = dict(self.image_processor(images, return_tensors="pt"))
        (words,) = text
        for grid in seen["image_grid_thw"]:
            words = words.replace(PLACE, "?" * (int(grid.prod()) // 4), 1)
        told = self.tokenizer([words.replace("?", PLACE)], return_tensors="pt")
        told.update(seen)
        return told


class Seeing(Qwen2_5_VLForConditionalGeneration):
    """Is told which tokens are of pictures, as diffusers' pipeline forgets (its issue 14194)."""

    def forward(self, input_ids, **more):
        types = (input_ids == self.config.image_token_id).int()
        return super().forward(input_ids, mm_token_type_ids=types, **more)


@pytest.fixture(scope="module")
def parts():
    made = tiny_transformers.qwen_image_edit()
    made.text_encoder.__class__ = Seeing
    return made


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    root = tmp_path_factory.mktemp("edited") / "any"
    tiny_transformers.qwen_image_edit().save_pretrained(root)
    index = root / "model_index.json"
    told = json.loads(index.read_text()) | {"_class_name": "QwenImageEditPlusPipeline"}
    index.write_text(json.dumps(told))
    return root


@pytest.fixture
def pipeline(parts, monkeypatch):
    for name, side in {"CONDITION_IMAGE_SIZE": SIZE, "VAE_IMAGE_SIZE": SMALL}.items():
        monkeypatch.setattr(pipeline_qwenimage_edit_plus, name, side**2)
    monkeypatch.setattr("nodeforge.diffusion.families.qwen_image._SEEN_SIDE", SIZE)
    made = QwenImageEditPlusPipeline.__new__(QwenImageEditPlusPipeline)
    QwenImageEditPlusPipeline.__init__(
        made, **parts.components, processor=Processor(parts.tokenizer)
    )
    made.set_progress_bar_config(disable=True)
    return made


def pictures(count):
    chance = np.random.default_rng(3)
    for _ in range(count):
        yield Pillow.fromarray(chance.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


def said(host, folder, text, shown):
    """As 'Encode instruction' makes it."""
    described, shown = diffusion.describe(folder), list(shown)
    images = [as_image(each) for each in shown]
    small = [as_image(each.resize((SMALL, SMALL), Pillow.Resampling.LANCZOS)) for each in shown]
    with host.use(described.vae) as vae:
        latents = [diffusion.encode_reference(vae, each, "qwen_image") for each in small]
    with host.use(described.text_encoder) as encoder:
        recipe = described.text_encoder
        told = diffusion.encode_text(encoder, recipe, text, pictures=images)
    return diffusion.with_references(told, latents)


def task_of(host, folder, shown):
    return Denoising(
        diffusion.describe(folder).model,
        said(host, folder, PROMPT, shown),
        Sampler("flow_euler"),
        Schedule("simple", STEPS),
        Guidance(4.0),
        said(host, folder, NEGATIVE, shown),
        noise=Noise(SEED, SMALL, SMALL),
    )


@pytest.mark.parametrize("count", [1, 2])
def test_it_edits_as_its_pipeline(host, folder, pipeline, count):
    assert recognise(folder).variant == "edit"
    shown = list(pictures(count))
    task = task_of(host, folder, shown)
    ours = diffusion.denoise(host, task)
    with host.use(diffusion.describe(folder).vae) as vae:
        made = diffusion.decode(vae, ours).pixels
    theirs = pipeline(
        image=shown, prompt=PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS,
        generator=generator(), output_type="np", height=SMALL, width=SMALL,
    ).images  # fmt: skip
    assert difference(made, torch.from_numpy(theirs)) == 0.0
    (other,) = said(host, folder, PROMPT, [each.rotate(90) for each in shown]).prompts
    for change in ("references", "embedding"):  # each of the two sees the pictures
        changed = task.positive.each(**{change: getattr(other, change)})
        again = diffusion.denoise(host, replace(task, positive=changed)).samples
        assert difference(again, ours.samples) > 1e-6


def test_no_negative_prompt_is_the_empty_one_with_the_pictures(host, folder, pipeline):
    shown = list(pictures(1))
    task = task_of(host, folder, shown)
    empty = replace(task, negative=said(host, folder, "", shown))
    alone = diffusion.denoise(host, replace(task, negative=None)).samples
    assert torch.equal(alone, diffusion.denoise(host, empty).samples)


def test_every_step_of_an_edit_is_entered_again(host, residency, folder, pipeline):
    task = task_of(host, folder, pictures(1))
    whole = diffusion.denoise(host, task).samples
    again = diffusion.LocalHost(residency)
    diffusion.denoise(again, replace(task, stop_at=1))
    assert torch.equal(diffusion.denoise(again, task).samples, whole)
    assert again.model_calls == host.model_calls


@pytest.mark.parametrize(
    ("size", "seen", "tokens"),
    [((1024, 1024), (1024, 1024), 14 * 14), ((4000, 1000), (2048, 512), 27 * 7),
     ((64, 64), (1024, 1024), 14 * 14), ((3, 900), (64, 17728), 1 * 238)],
)  # fmt: skip
def test_pictures_are_seen_in_the_sizes_it_was_taught_with(host, folder, size, seen, tokens):
    assert reference_size(*size, "qwen_image")[:2] == seen
    with host.use(diffusion.describe(folder).text_encoder) as encoder:
        picture = Image(torch.rand(1, size[1], size[0], 3))
        assert patches_of(encoder.encoders[0].network, [picture], 384).tokens == [tokens]


def test_what_stands_for_a_picture_is_no_word(host, folder):
    with pytest.raises(PromptError, match="stands for a picture"):
        said(host, folder, f"a {PLACE} fox", pictures(1))
