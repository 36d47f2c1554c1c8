"""Anima beside what all families of transformers are tested for: its words, files and sizes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise, LoadingError
from nodeforge.diffusion.families import anima as behaviour_of_anima
from nodeforge.diffusion.networks.tokenizer import shipped_tokenizer
from nodeforge.diffusion.tensors.conditioning import ConditioningMismatchError
from nodeforge.diffusion.tensors.latents import LatentSizeError
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.models import FAMILIES, recognise
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks, whole_state
from support.pipeline_inputs import SEED, SIZE, as_image, difference, generator, picture
from tests.tiny_originals import original, scaled_fp8, under, unscaled, written

STEPS = 8


@pytest.fixture(scope="module")
def pipeline():
    return tiny_transformers.anima()


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    root = tmp_path_factory.mktemp("anima") / "any"
    pipeline.save_pretrained(root)
    return root


@pytest.fixture(scope="module")
def network(folder):
    return loaded_networks(diffusion.describe(folder).model)["transformer"]


@pytest.fixture(scope="module")
def encode(folder, residency):
    recipe = diffusion.describe(folder).text_encoder

    def encoded(text):
        with residency.use(recipe) as encoder:
            return diffusion.encode_text(encoder, recipe, text)

    return encoded


def read(network, conditioning):
    """What cross-attention reads of the only prompt."""
    (prompt,) = conditioning.prompts
    said = PromptInputs(prompt.embedding, mask=prompt.mask, numbered=tuple(prompt.numbered))
    model = SimpleNamespace(network=network, dtype=network.dtype)
    with torch.no_grad():
        return behaviour_of_anima._condition(model, said, 0)


def task(folder, encode, text="a fox", **changed):
    made = Denoising(
        diffusion.describe(folder).model, encode(text), Sampler("flow_euler"),
        Schedule("simple", STEPS), Guidance(4.0), encode("blurry"), noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    return replace(made, **changed)


def test_weights_multiply_what_the_conditioner_makes_of_words(network, encode):
    plain, weighed = (
        read(network, encode("a fox, night")),
        read(network, encode("a (fox:1.5), night")),
    )
    tokens = shipped_tokenizer("t5_xxl").encode("a fox, night", 512, padded=False)
    fox = [2 <= first < last <= 5 for first, last in tokens.offsets]
    assert any(fox)
    assert not all(fox)
    for place, told in enumerate(fox):
        wanted = plain[:, place] * (1.5 if told else 1.0)
        assert torch.equal(weighed[:, place], wanted)
    assert torch.equal(weighed[:, len(fox) :], plain[:, len(fox) :])
    assert torch.equal(encode("(fox:1.5)").prompts[0].embedding, encode("fox").prompts[0].embedding)


def test_weights_alone_make_another_picture(host, folder, encode):
    """Not the one that was kept of the same words."""
    plain = diffusion.denoise(host, task(folder, encode, "fox")).samples
    weighed = diffusion.denoise(host, task(folder, encode, "(fox:1.5)")).samples
    assert difference(plain, weighed) > 1e-4


def test_a_long_text_loses_its_end(encode):
    length = FAMILIES["anima"].text_length
    (prompt,) = encode("word " * 400).prompts
    assert (prompt.embedding.shape[1], prompt.numbered.shape[1]) == (length, 401)
    (longer,) = encode("strange words " * 400).prompts
    assert longer.numbered.shape[1] == length


def test_concatenated_texts_are_read_as_one(network, encode):
    both = diffusion.concatenate(encode("a fox"), encode("at night"))
    (prompt,) = both.prompts
    one, other = (encode(text).prompts[0] for text in ("a fox", "at night"))
    assert prompt.numbered.shape[1] == one.numbered.shape[1] + other.numbered.shape[1]
    assert prompt.mask.shape[1] == one.mask.shape[1] + other.mask.shape[1]
    assert read(network, both).shape == read(network, encode("a fox")).shape
    with pytest.raises(ConditioningMismatchError, match="reads the words themselves"):
        diffusion.average(encode("a fox"), encode("at night"), 0.5)


@pytest.mark.parametrize("strength", [0.3, 0.6, 0.95])
@torch.no_grad()
def test_image_to_image_is_that_of_the_blocks(host, pipeline, folder, encode, strength):
    """They divide a latent by its spread, ours multiplies by the reciprocal, as Qwen-Image's."""
    described = diffusion.describe(folder)
    with host.use(described.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()))
    pixels = as_image(picture()).pixels.permute(0, 3, 1, 2)[:, :, None] * 2 - 1
    config = pipeline.vae.config
    mean, spread = (
        torch.tensor(each).view(1, -1, 1, 1, 1)
        for each in (config.latents_mean, config.latents_std)
    )
    divided = ((pipeline.vae.encode(pixels).latent_dist.mode() - mean) / spread)[:, :, 0]
    assert difference(latent.samples, divided) < 1e-6
    latent = replace(latent, samples=divided)
    start = diffusion.start_noise([generator()], latent.samples.shape[1:])
    asked = task(
        folder, encode, schedule=Schedule("simple", STEPS, strength), latent=latent,
        noise=DrawnNoise(start, (generator(),), (SEED,)),
    )  # fmt: skip
    ours = diffusion.denoise(host, asked).samples
    theirs = pipeline(
        prompt="a fox", negative_prompt="blurry", image=picture(), strength=strength,
        num_inference_steps=STEPS, generator=generator(), height=SIZE, width=SIZE,
        output_type="latent",
    ).images  # fmt: skip
    assert difference(ours, theirs[:, :, 0]) == 0.0


def test_pictures_beyond_its_places_are_refused(host, folder, encode):
    with pytest.raises(LatentSizeError, match="128 × 132 pixels: this model has places for 128"):
        diffusion.denoise(host, task(folder, encode, noise=Noise(SEED, 128, 132)))


@pytest.fixture
def files(monkeypatch, folder, tmp_path):
    """Writes its denoiser with its conditioner, as its authors' file has them."""
    state = original(loaded_networks(diffusion.describe(folder).model)["transformer"].state_dict())
    use_configs(monkeypatch, "anima", folder)

    def made(name, prefix="", change=lambda state: state):
        return written(tmp_path / f"{name}.safetensors", under(prefix, change(state)))

    return made


@pytest.mark.parametrize("prefix", ["", "net.", "model.diffusion_model.", "diffusion_model."])
def test_its_authors_file_gives_the_folder_s_weights(files, network, prefix):
    file = files("any", prefix)
    info = recognise(file)
    assert (info.kind, info.family, info.layout) == ("unet", "anima", "original")
    found = loaded_networks(diffusion.describe_denoiser(file))["transformer"].state_dict()
    wanted = network.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_scales_of_its_conditioner_are_multiplied_too(files):
    small, large = (
        files(name, "net.", change)
        for name, change in (
            ("small", scaled_fp8),
            ("large", lambda state: unscaled(scaled_fp8(state))),
        )
    )
    assert recognise(small).quantisation == "scaled fp8"
    one, other = (
        whole_state(loaded_networks(diffusion.describe_denoiser(each))["transformer"])
        for each in (small, large)
    )
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_without_its_conditioner_it_is_another_model(files, folder, tmp_path):
    def cut(state):
        return {n: t for n, t in state.items() if not n.startswith("llm_adapter.")}

    info = recognise(files("cosmos", "net.", cut))
    assert (info.family, info.reason) == (None, "Cosmos is not supported yet")
    copy = shutil.copytree(folder, tmp_path / "cosmos")
    shutil.rmtree(copy / "text_conditioner")
    index = copy / "modular_model_index.json"
    told = json.loads(index.read_text())
    del told["text_conditioner"]
    index.write_text(json.dumps(told))
    with pytest.raises(LoadingError, match="it has no text conditioner"):
        diffusion.describe(copy)
