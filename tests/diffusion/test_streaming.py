"""Blocks that are read from the file as they compute: the same numbers, in little memory."""

from __future__ import annotations

import os
import random
import shutil
import time
from dataclasses import replace
from math import prod

import pytest
import tiny_transformers
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, Residency
from nodeforge.diffusion.adapters.lora import LoadedLora, LoraHooks, WeightedLora
from nodeforge.diffusion.adapters.lora_weights import LowRank
from nodeforge.diffusion.memory.blank_calls import blank_call
from nodeforge.diffusion.memory.offloading import stream_layers
from nodeforge.diffusion.memory.requirements import memory_needs
from nodeforge.diffusion.networks.block_reader import BlockReader, ChangedModelError, aligned
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.loading import load
from nodeforge.diffusion.networks.streaming import can_stream, stream_of
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.models import FAMILIES
from nodeforge.settings import MemoryMode
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from tests.diffusion.test_memory_requirements import taken
from tests.support.loaded_networks import real_size_recipes, single_recipes
from tests.support.pipeline_inputs import shown_to

CPU = torch.device("cpu")
VERY_LOW = Policy(MemoryMode.VERY_LOW)
NAMES = (
    "flux1",
    "chroma",
    "z_image",
    "flux2_dev",
    "flux2_klein_base",
    "flux3",
    "wan",
    "qwen_image",
    "krea2",
    "qwen_image_21",
    "qwen_image_layered",
    "sd3",
    "anima",
)
STORED_SMALL = ("flux1", "sd3", "krea2")
"""One each of those with T5, with CLIP and T5, and with a language model."""
PROMPT = "a red fox in the snow"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name in NAMES:
        made[name] = tmp_path_factory.mktemp(name)
        tiny_transformers.PIPELINES[name]().save_pretrained(made[name])
    return made


@pytest.fixture(scope="module", params=NAMES)
def described(request, folders):
    return diffusion.describe(folders[request.param])


def said(described, residency, text=PROMPT, **more):
    with residency.use(described.text_encoder, **more) as encoder:
        told = diffusion.encode_text(encoder, described.text_encoder, text)
    return shown_to(told, 32, 64, diffusion.facts(described.model).latent_channels)


def latent(described, residency):
    prompts = [said(described, residency, text) for text in (PROMPT, "blurry")]
    task = Denoising(
        described.model, prompts[0], Sampler("flow_euler"), Schedule("simple", 3),
        Guidance(3.0), negative=prompts[1], noise=Noise(1, 32, 64),
    )  # fmt: skip
    return diffusion.denoise(diffusion.LocalHost(residency), task).samples


def networks_streamed(residency, described):
    """Whether each network reads its blocks from its file, by its part."""
    found = {}
    with residency.use(described.model) as model, residency.use(described.text_encoder) as text:
        networks = {"denoiser": model.network}
        networks |= {type(each.network).__name__: each.network for each in text.encoders}
        for name, network in networks.items():
            found[name] = stream_of(network) is not None
    return found


def test_streamed_from_disk_the_numbers_are_the_same(described):
    low = Residency("cpu", VERY_LOW)
    assert set(networks_streamed(low, described).values()) == {True}
    assert torch.equal(latent(described, low), latent(described, Residency("cpu")))
    assert low.bytes_held == 0


@pytest.mark.parametrize("slow", ["disk", "processor", "both"])
def test_at_any_timing_the_numbers_are_the_same(folders, slow, monkeypatch):
    described = diffusion.describe(folders["z_image"])
    wanted = latent(described, Residency("cpu"))
    chance = random.Random(0)
    fill, get = BlockReader._fill, BlockReader.get

    def slow_fill(*given):
        time.sleep(chance.random() * 2e-3 * (slow != "processor"))
        return fill(*given)

    def slow_get(*given):
        time.sleep(chance.random() * 2e-2 * (slow != "disk"))
        return get(*given)

    monkeypatch.setattr(BlockReader, "_fill", slow_fill)
    monkeypatch.setattr(BlockReader, "get", slow_get)
    assert torch.equal(latent(described, Residency("cpu", VERY_LOW)), wanted)


def test_blocks_are_read_in_any_order(folders):
    recipe = diffusion.describe(folders["z_image"]).model
    stream = stream_of(load(recipe, CPU, streamed=True).network)
    reader, blocks = stream._reader, stream._stored
    for number in (0, 1, 3, 2, 0, 0, 3, 1):
        for name, held in reader.get(number).items():
            entry = blocks[number].tensors[name]
            whole = entry.path.read_bytes()
            assert bytes(held.numpy()) == whole[entry.start : entry.start + len(held)]


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float16, torch.bfloat16])
def test_weights_are_read_small_and_widened(folders, dtype, tmp_path):
    file = next((folders["z_image"] / "transformer").glob("*.safetensors"))
    small = {name: tensor.to(dtype) for name, tensor in load_file(file).items()}
    target = shutil.copytree(folders["z_image"], tmp_path / "model")
    save_file(small, target / "transformer" / file.name)
    recipe = diffusion.describe(target).model
    networks = [load(recipe, CPU, streamed=streamed).network for streamed in (False, True)]
    texts, pictures = [torch.randn(32, 32)], [torch.randn(4, 1, 8, 8)]
    with torch.no_grad():
        plain, streamed = (n(pictures, torch.tensor([0.5]), texts)[0][0] for n in networks)
    assert torch.equal(plain, streamed)
    blocks = stream_of(networks[1])._stored
    assert stream_of(networks[1])._reader._size == max(
        sum(aligned(dtype.itemsize * prod(t.shape)) for t in block.tensors.values())
        for block in blocks
    )


def test_between_calls_nothing_of_the_blocks_is_in_memory(folders):
    described = diffusion.describe(folders["z_image"])
    for recipe in (described.model, described.text_encoder.parts[0]):
        network = load(recipe, CPU, streamed=True).network
        for name in stream_of(network).names:
            assert network.get_parameter(name).isnan().all()
            assert network.get_parameter(name).untyped_storage().nbytes() == 4


def lora_over(network, seed=0):
    torch.manual_seed(seed)
    layers = {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear) and ".0." in name
    }
    assert layers
    return LoadedLora(
        {
            name: LowRank(
                torch.randn(2, layer.in_features),
                torch.randn(layer.out_features, 2),
                None,
                2.0,
                2.0,
            )
            for name, layer in layers.items()
        }
    )


def test_loras_lie_over_streamed_layers(folders):
    recipe = diffusion.describe(folders["z_image"]).model
    texts, pictures = [torch.randn(32, 32)], [torch.randn(4, 1, 8, 8)]
    made = []
    for streamed in (False, True):
        network = load(recipe, CPU, streamed=streamed).network

        def call(network=network):
            with torch.no_grad():
                return network(pictures, torch.tensor([0.5]), texts)[0][0]

        before = call()
        with LoraHooks(network).attach([WeightedLora(lora_over(network), 0.7)]):
            made.append(call())
        assert torch.equal(call(), before)
        assert not torch.equal(made[-1], before)
    assert torch.equal(*made)


class StopError(Exception):
    pass


def test_a_run_is_cancelled_between_blocks_and_the_next_is_right(folders):
    described = diffusion.describe(folders["flux2_klein_base"])
    low, calls = Residency("cpu", VERY_LOW), []

    def check():
        calls.append(1)
        if len(calls) == at:
            raise StopError

    wanted = said(described, Residency("cpu")).prompts[0].embedding
    at = 0
    said(described, low, check=check)
    whole = len(calls)
    assert whole > 28  # once a block
    calls.clear()
    at = whole - 10
    with pytest.raises(StopError):
        said(described, low, check=check)
    assert torch.equal(said(described, low).prompts[0].embedding, wanted)


@pytest.mark.parametrize("what", ["block", "table"])
@pytest.mark.parametrize("how", ["changed", "gone", "shorter"])
def test_a_file_that_changes_meanwhile_is_named(tmp_path, how, what):
    tiny_transformers.z_image().save_pretrained(tmp_path)
    described = diffusion.describe(tmp_path)
    file = next((tmp_path / "text_encoder").glob("*.safetensors"))
    with Residency("cpu", VERY_LOW).use(described.text_encoder) as encoder:
        ids = torch.arange(5)[None]
        network = encoder.encoders[0].network
        if what == "block":
            network.embed_tokens.forward = nn.Embedding(300, 32).forward
        match how:
            case "changed":
                os.utime(file, ns=(1, 1))
            case "gone":
                file.unlink()
            case "shorter":
                file.write_bytes(file.read_bytes()[:-5000])
        with pytest.raises(ChangedModelError, match="was changed or taken away") as refused:
            network(ids)
        assert str(file) in str(refused.value)


def test_a_file_that_was_changed_and_is_back_is_read_again(tmp_path):
    tiny_transformers.z_image().save_pretrained(tmp_path)
    described = diffusion.describe(tmp_path)
    file = next((tmp_path / "text_encoder").glob("*.safetensors"))
    with Residency("cpu", VERY_LOW).use(described.text_encoder) as encoder, torch.no_grad():
        network, ids = encoder.encoders[0].network, torch.arange(5)[None]
        wanted = network(ids)[0]
        away = file.rename(tmp_path / "away")
        with pytest.raises(ChangedModelError):
            network(ids)
        away.rename(file)
        assert torch.equal(network(ids)[0], wanted)


def test_what_can_be_streamed():
    pictures = ("flux1", "chroma", "z_image", "flux2_klein_4b", "flux2_klein_9b")
    others = ("flux2_dev", "flux3_klein", "qwen_image", "qwen_image_21", "krea2", "sd3")
    for family in (*pictures, *others):
        recipes = real_size_recipes(family)
        vae = recipes.pop("vae")
        assert all(can_stream(build(recipe)) for recipe in recipes.values()), family
        assert not can_stream(build(vae))
    for family in ("sd15", "sdxl", "nano"):
        assert not can_stream(build(real_size_recipes(family)["unet"]))


def test_a_model_that_is_too_large_for_the_processor_s_memory_is_streamed(folders):
    described = diffusion.describe(folders["z_image"])
    roomy, narrow = Residency("cpu"), Residency("cpu", bytes_kept=1000)
    assert set(networks_streamed(roomy, described).values()) == {False}
    assert set(networks_streamed(narrow, described).values()) == {True}


def test_a_card_s_streaming_gives_the_same_numbers(described):
    """With the processor in the place of the card, for denoisers and text encoders."""
    plain, fed = Residency("cpu"), Residency("cpu")
    with fed.use(described.model) as model, fed.use(described.text_encoder) as text:
        for network in (model.network, *(each.network for each in text.encoders)):
            stream_layers(network, CPU)
    assert torch.equal(latent(described, fed), latent(described, plain))


@pytest.mark.parametrize("name", NAMES)
def test_what_streamed_networks_take_is_foretold(folders, name, monkeypatch):
    for family, facts in FAMILIES.items():
        video = facts.video and replace(facts.video, width=128, height=128, frames=9)
        monkeypatch.setitem(FAMILIES, family, replace(facts, native_size=128, video=video))
    described = diffusion.describe(folders[name])
    for recipe in single_recipes(described.model, described.text_encoder):
        network = load(recipe, CPU, streamed=True).network
        held = {p.untyped_storage().data_ptr(): p for p in network.parameters()}.values()
        resident = sum(p.untyped_storage().nbytes() for p in held)
        call = blank_call(recipe, network, torch.float32, CPU)
        told = memory_needs.__wrapped__(recipe, VERY_LOW, CPU)
        assert 0.85 < (told.weights + told.working) / (resident + taken(call)) < 1.15


def test_the_encoder_leaves_before_the_denoiser_comes_where_both_do_not_fit(folders):
    described = diffusion.describe(folders["z_image"])
    alone = {}
    for recipe in (described.model, described.text_encoder):
        residency = Residency("cpu")
        with residency.use(recipe):
            alone[recipe] = residency.bytes_held
    room = max(alone.values()) + min(alone.values()) // 2
    residency = Residency("cpu", bytes_kept=room)
    with residency.use(described.text_encoder):
        pass
    assert residency.bytes_held == alone[described.text_encoder]  # as long as it fits
    with residency.use(described.model) as model:
        assert residency.bytes_held == alone[described.model]
        assert stream_of(model.network) is None


def test_a_lora_s_file_lies_over_a_streamed_model(folders, tmp_path):
    described = diffusion.describe(folders["z_image"])
    file = tmp_path / "style.safetensors"
    pair = {"lora_A": torch.randn(4, 32), "lora_B": torch.randn(32, 4)}
    names = [f"transformer.layers.{block}.attention.to_{each}" for block in (0, 1) for each in "qv"]
    save_file({f"{n}.{role}.weight": t.clone() for n in names for role, t in pair.items()}, file)
    lora = diffusion.describe_lora(file, "z_image")
    styled = described._replace(model=diffusion.with_lora(described.model, lora, 0.8))
    low = Residency("cpu", VERY_LOW)
    changed = latent(styled, low)
    assert torch.equal(changed, latent(styled, Residency("cpu")))
    assert not torch.equal(changed, latent(described, low))


@pytest.mark.parametrize(
    "name", [n if n in STORED_SMALL else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_weights_stored_in_8_bits_give_the_same_numbers_streamed(folders, name):
    described = diffusion.describe(folders[name])
    whole, low = (
        Policy(memory, fp8_weights=True) for memory in (MemoryMode.AUTO, MemoryMode.VERY_LOW)
    )
    made = latent(described, Residency("cpu", whole))
    assert torch.equal(latent(described, Residency("cpu", low)), made)
    assert not torch.equal(latent(described, Residency("cpu")), made)
