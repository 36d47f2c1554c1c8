"""Flux.3 klein beside what all transformer families are tested for: its text, jumps and norms."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
import tiny_transformers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise
from nodeforge.diffusion.networks.loading import LoadedModel, load
from nodeforge.diffusion.samplers.pairs import make_stepper
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.models import recognise
from nodeforge.models.folders.listing import models_in
from nodeforge.settings import Precision
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks
from support.pipeline_inputs import SEED, as_image, difference, generator, picture
from tests.tiny_originals import original, scaled_fp8, written

CPU = torch.device("cpu")
LONG = "a red fox in the snow at night " * 4
"""More than the 80 bytes that are read at once."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Of the base model and of the distilled one, each with its pipeline."""
    root, made = tmp_path_factory.mktemp("flux3"), {}
    for distilled in (False, True):
        folder = root / ("distilled" if distilled else "base")
        pipeline = tiny_transformers.flux3(distilled)
        pipeline.save_pretrained(folder)
        made[distilled] = folder, pipeline
    return made


def encoded(host, folder, text):
    recipe = diffusion.describe(folder).text_encoder
    with host.use(recipe) as encoder:
        return diffusion.encode_text(encoder, recipe, text)


def test_a_folder_of_modular_diffusers_is_a_model(folders, tmp_path):
    """Its index has another name, and says of each part where it came from."""
    folder, _ = folders[True]
    there = shutil.copytree(folder, tmp_path / "models" / "checkpoints" / "flux-3-image-klein")
    told = json.loads((there / "model_index.json").read_text())
    (there / "model_index.json").unlink()
    parts = {
        name: [*kind, {"subfolder": name}] if isinstance(kind, list) else kind
        for name, kind in told.items()
    }
    (there / "modular_model_index.json").write_text(json.dumps(parts))
    assert dict(models_in(tmp_path / "models")) == {"checkpoints/flux-3-image-klein": there}
    info = recognise(there)
    assert (info.family, info.variant) == ("flux3_klein", "distilled")
    whole, again = (loaded_networks(*diffusion.describe(each)) for each in (folder, there))
    assert whole.keys() == again.keys() == {"transformer", "text_encoder", "vae"}


@pytest.mark.parametrize(("positive", "negative"), [(LONG, "blurry"), ("a fox", LONG)])
def test_prompts_of_different_lengths_are_read_as_they_are(host, folders, positive, negative):
    folder, pipeline = folders[False]
    said = [encoded(host, folder, text) for text in (positive, negative)]
    lengths = [each.prompts[0].embedding.shape[1] for each in said]
    assert sorted(lengths) == [80, 160]
    task = Denoising(
        diffusion.describe(folder).model, said[0], Sampler("flow_euler"), Schedule("simple", 2),
        Guidance(3.5), said[1], noise=Noise(SEED, 32, 32),
    )  # fmt: skip
    theirs = pipeline(
        output_type="latent", prompt=positive, negative_prompt=negative, guidance_scale=3.5,
        num_inference_steps=2, height=32, width=32, generator=generator(),
    ).images  # fmt: skip
    assert difference(diffusion.denoise(host, task).samples, theirs) == 0.0


@pytest.mark.parametrize("distilled", [False, True])
@torch.no_grad()
def test_image_to_image_walks_the_last_levels(host, folders, distilled):
    """diffusers has no blocks for it: by hand, of its parts."""
    folder, pipeline = folders[distilled]
    model, _, vae = diffusion.describe(folder)
    prompt = encoded(host, folder, "a fox")
    with host.use(vae) as loaded:
        latent = diffusion.encode(loaded, as_image(picture()))
    start = diffusion.start_noise([generator()], latent.samples.shape[1:])
    task = Denoising(
        model, prompt, Sampler("flow_euler"), Schedule("simple", 8, 0.5), Guidance(1.0), prompt,
        noise=DrawnNoise(start, (generator(),), (SEED,)), latent=latent,
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples

    scheduler = FlowMatchEulerDiscreteScheduler(shift=6.93)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / 8, 8))
    scheduler.set_begin_index(4)
    height, width = start.shape[-2:]
    places = torch.cartesian_prod(*map(torch.arange, (1, height, width, 1))).float()
    places[:, 1:3] /= 2
    text = prompt.prompts[0].embedding
    x = scheduler.scale_noise(latent.samples, scheduler.timesteps[4:5], start)
    x = x.flatten(2).transpose(1, 2)
    times = [*scheduler.timesteps[4:], torch.tensor(0.0)]
    for now, then in pairwise(times):
        jump = {"target_timestep": then[None] / 1000} if distilled else {}
        words = torch.cartesian_prod(*map(torch.arange, (1, 1, 1, text.shape[1]))).float()
        said = pipeline.transformer(
            hidden_states=x, encoder_hidden_states=text, timestep=now[None] / 1000,
            img_ids=places, txt_ids=words, return_dict=False, **jump,
        )[0]  # fmt: skip
        x = scheduler.step(said, now, x, return_dict=False)[0]
    wanted = x.transpose(1, 2).reshape(1, -1, height, width)
    assert difference(ours, wanted) < 2e-6


@pytest.mark.parametrize(
    ("sampler", "schedule", "convention"),
    [
        ("flow_euler", "simple", "diffusers"),
        ("flow_heun", "normal", "diffusers"),
        ("dpmpp_2m", "normal", "diffusers"),
        ("heun", "simple", "comfyui"),
        ("dpm2", "simple", "comfyui"),
    ],
)
def test_each_step_jumps_to_where_the_next_begins(sampler, schedule, convention):
    """In the middle of a step of two calls, too."""
    config = {"prediction_type": "flow_prediction", "shift": 6.93, "num_train_timesteps": 1000}
    stepper = make_stepper(
        Sampler(sampler, convention=convention), Schedule(schedule, 5), config, CPU
    )
    stepper.prepare(0, DrawnNoise(torch.zeros(1, 1, 2, 2), (generator(),), (SEED,), whole=1))
    asked: list[list[float]] = []

    def predict(x, timestep, sigma):
        asked[-1].append(float(timestep))
        return x

    x = stepper.pure_noise(torch.ones(1, 1, 2, 2))
    for _ in range(stepper.steps):
        asked.append([])
        x = stepper.step(predict, x, None)
    starts = [*(calls[0] for calls in asked), 0.0]
    assert stepper.timesteps == pytest.approx(starts, abs=1e-3)
    assert stepper.timesteps[0] == pytest.approx(1000, abs=1)
    for calls, end in zip(asked, starts[1:], strict=True):
        assert min(calls) >= end - 1e-3


def test_packed_weights_compute_in_half_precision(folders, tmp_path, monkeypatch):
    """It has no biases: of packed weights alone nothing tells what they are computed in."""
    monkeypatch.setattr("nodeforge.diffusion.tensors.policy.has_bfloat16", lambda _: True)
    folder, _ = folders[True]
    use_configs(monkeypatch, "flux3_klein", folder)
    (network,) = loaded_networks(diffusion.describe(folder).model).values()
    file = written(tmp_path / "flux3.safetensors", scaled_fp8(original(network.state_dict())))
    model = diffusion.describe_denoiser(file)
    made = load(model, CPU, Policy(precision=Precision.HALF)).network
    assert LoadedModel(made, "flux3_klein").dtype == torch.bfloat16
    norms = [weight for name, weight in made.named_parameters() if ".norm_" in name]
    assert {weight.dtype for weight in norms} == {torch.float32}
    tokens = torch.zeros(1, 4, made.config.in_channels, dtype=torch.bfloat16)
    said = made(
        hidden_states=tokens, encoder_hidden_states=torch.zeros(1, 3, 256, dtype=torch.bfloat16),
        timestep=torch.ones(1), target_timestep=torch.zeros(1),
        img_ids=torch.zeros(4, 4), txt_ids=torch.zeros(3, 4), return_dict=False,
    )[0]  # fmt: skip
    assert said.dtype == torch.bfloat16
