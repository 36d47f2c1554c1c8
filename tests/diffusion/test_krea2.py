"""Krea 2 beside what all families of transformers are tested for: its text, levels and norms."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_transformers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise, Residency
from nodeforge.diffusion.networks.loading import load
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors.packing import pack, unpack
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.models import FAMILIES, recognise
from nodeforge.settings import Precision
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks
from support.pipeline_inputs import SEED, as_image, difference, generator, picture
from tests.tiny_originals import in_llama_names, written_gguf

LENGTH = FAMILIES["krea2"].text_length


@pytest.fixture(scope="module")
def pipeline():
    return tiny_transformers.krea2()


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    root = tmp_path_factory.mktemp("krea2") / "any"
    pipeline.save_pretrained(root)
    return root


@pytest.fixture(scope="module")
def encode(folder, residency):
    recipe = diffusion.describe(folder).text_encoder

    def encoded(text):
        with residency.use(recipe) as encoder:
            return diffusion.encode_text(encoder, recipe, text)

    return encoded


@pytest.mark.parametrize("text", ["", "a fox", "word " * 200])
@torch.no_grad()
def test_what_is_kept_of_a_text_is_what_the_denoiser_reads(pipeline, encode, text):
    """A text that is too long loses its end, but for what the template has after it."""
    states, mask = pipeline.encode_prompt(text)
    (prompt,) = encode(text).prompts
    assert prompt.mask.all()
    assert torch.equal(prompt.embedding, states[mask].flatten(1)[None])
    assert prompt.embedding.shape[1] == min(LENGTH, int(mask.sum()))


def test_texts_that_together_are_longer_than_one_are_read_as_a_whole(host, folder, encode):
    long = encode("word " * 60)
    both = diffusion.concatenate(long, encode("thing " * 60))
    assert both.prompts[0].embedding.shape[1] > LENGTH
    task = Denoising(
        diffusion.describe(folder).model, both, Sampler("flow_euler"), Schedule("simple", 2),
        Guidance(1.0), long, noise=Noise(SEED, 32, 32),
    )  # fmt: skip
    made = diffusion.denoise(host, task).samples
    assert difference(made, diffusion.denoise(host, replace(task, positive=long)).samples) > 1e-4


@pytest.mark.parametrize("distilled", [False, True])
@torch.no_grad()
def test_image_to_image_walks_the_pipeline_s_last_levels(host, tmp_path, distilled):
    """diffusers has no pipeline for it: by hand, of its parts."""
    made = tiny_transformers.krea2(distilled)
    made.save_pretrained(tmp_path / "m")
    model, text_encoder, vae = diffusion.describe(tmp_path / "m")
    with host.use(text_encoder) as encoder:
        prompt = diffusion.encode_text(encoder, text_encoder, "fox")
    with host.use(vae) as loaded:
        latent = diffusion.encode(loaded, as_image(picture()))
    start = diffusion.start_noise([generator()], latent.samples.shape[1:])
    task = Denoising(
        model, prompt, Sampler("flow_euler"), Schedule("simple", 8, 0.5), Guidance(1.0), prompt,
        noise=DrawnNoise(start, (generator(),), (SEED,)), latent=latent,
    )  # fmt: skip
    ours = diffusion.denoise(host, task).samples

    scheduler = FlowMatchEulerDiscreteScheduler.from_config(made.scheduler.config)
    height, width = start.shape[-2:]
    tokens = height * width // 4
    mu = 1.15 if distilled else 0.5 + (1.15 - 0.5) / (6400 - 256) * (tokens - 256)
    scheduler.set_timesteps(sigmas=torch.linspace(1, 1 / 8, 8).double().numpy(), mu=mu)
    states, mask = made.encode_prompt("fox")
    places = made.prepare_position_ids(states.shape[1], height // 2, width // 2, "cpu")
    scheduler.set_begin_index(4)
    steps = scheduler.timesteps[4:]
    x = pack(scheduler.scale_noise(latent.samples, steps[:1], start))
    for step in steps:
        said = made.transformer(x, states, step.expand(1) / 1000, places, mask, return_dict=False)[
            0
        ]
        x = scheduler.step(said, step, x, return_dict=False)[0]
    assert difference(ours, unpack(x, height, width)) < 2e-6


@pytest.mark.parametrize("streamed", [False, True])
def test_norms_stay_in_float32(folder, monkeypatch, streamed):
    """They are multiplied by one more than their weights, which bfloat16 would round away."""
    monkeypatch.setattr("nodeforge.diffusion.tensors.policy.has_bfloat16", lambda _: True)
    model = diffusion.describe(folder).model
    device, half = torch.device("cpu"), Policy(precision=Precision.HALF)
    network = load(model, device, half, streamed=streamed).network
    whole = load(model, device).network.state_dict()
    assert network.dtype == torch.bfloat16
    seen = {}

    def look(name):
        def see(module, given):
            seen[name] = module.weight.detach().clone()

        return see

    for name, module in network.named_modules():
        if name.rpartition(".")[2].startswith("norm"):
            module.register_forward_pre_hook(look(name))
    tokens = 4
    network(
        torch.zeros(1, tokens, 16).bfloat16(), torch.zeros(1, 3, 12, 32).bfloat16(),
        torch.ones(1), torch.zeros(3 + tokens, 3),
    )  # fmt: skip
    assert len(seen) == 1 + 1 + 4 * 4
    for name, weight in seen.items():
        assert torch.equal(weight, whole[f"{name}.weight"]), name
    assert (stream_of(network) is not None) == streamed


def test_a_gguf_text_encoder_reads_words(folder, tmp_path, monkeypatch, encode):
    use_configs(monkeypatch, "krea2", folder)
    (network,) = loaded_networks(diffusion.describe(folder).text_encoder).values()
    state = in_llama_names(network.language_model.state_dict())
    file, _ = written_gguf(tmp_path / "any.gguf", state, "F32", "qwen3vl")
    assert recognise(file).encoder == "qwen3_vl_4b"
    assert "krea2" in recognise(file).families
    recipe = diffusion.describe_text_encoder(file, family="krea2")
    with Residency("cpu").use(recipe) as encoder:
        said = diffusion.encode_text(encoder, recipe, "a fox")
    assert torch.equal(said.prompts[0].embedding, encode("a fox").prompts[0].embedding)
