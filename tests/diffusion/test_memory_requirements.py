"""What a network needs, known before it is loaded, against what torch then takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_transformers
import torch
from diffusers import AutoencoderKLWan
from torch.profiler import ProfilerActivity, profile

from nodeforge import diffusion
from nodeforge.diffusion.memory.blank_calls import blank_call
from nodeforge.diffusion.memory.requirements import memory_needs, peak_bytes
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.loading import load
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.diffusion.vae.causal import decoded_groups, encoded
from nodeforge.models import FAMILIES
from nodeforge.models.families import QWEN21_VAE
from nodeforge.settings import GIB, shipped
from tests.support.loaded_networks import real_size_recipes, single_recipes

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
NANO = shipped("resources") / "models" / "nano"


def taken(call):
    """The most that torch has allocated at once during `call`."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        call()
    now = most = 0
    for event in seen.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


SIZE = 128
"""Of the pictures that are foretold here, pixels: small enough to be made."""


@pytest.fixture
def small_pictures(monkeypatch):
    for name, family in FAMILIES.items():
        video = family.video and replace(family.video, width=SIZE, height=SIZE, frames=9)
        monkeypatch.setitem(FAMILIES, name, replace(family, native_size=SIZE, video=video))


def assert_foretold(recipe):
    told = memory_needs.__wrapped__(recipe, DEFAULT, CPU)
    network = load(recipe, CPU).network
    call = blank_call(recipe, network, network.dtype, CPU)
    assert told.weights == sum(p.nbytes for p in network.parameters())
    assert 0.85 < told.working / taken(call) < 1.15, recipe


def test_the_working_memory_of_nano_is_foretold(small_pictures):
    for recipe in single_recipes(*diffusion.describe(NANO)):
        assert_foretold(recipe)


@pytest.mark.parametrize(
    "name",
    [
        *("flux1_fill", "chroma", "z_image", "flux2_dev", "flux2_klein", "flux3"),
        *("qwen_image", "krea2", "qwen_image_21", "sd3", "anima", "qwen_image_layered"),
    ],
)
def test_the_working_memory_of_transformers_is_foretold(name, small_pictures, tmp_path):
    tiny_transformers.PIPELINES[name]().save_pretrained(tmp_path)
    for recipe in single_recipes(*diffusion.describe(tmp_path)):
        assert_foretold(recipe)


def test_the_working_memory_of_a_video_model_is_foretold(small_pictures, tmp_path):
    tiny_transformers.PIPELINES["wan"]().save_pretrained(tmp_path)
    described = diffusion.describe(tmp_path)
    for recipe in (described.model, *described.text_encoder.parts, described.vae):
        assert_foretold(recipe)


@pytest.mark.parametrize(("channels", "height", "width"), [(16, 64, 96), (48, 80, 48)])
def test_what_a_video_s_autoencoder_copies_is_foretold(channels, height, width):
    """Wan's layers, few and many: of few, torch lays out what each output reads."""
    frames = [torch.zeros(1, 3, count, height, width) for count in (1, 4)]

    def calls(device):
        network = AutoencoderKLWan(base_dim=channels, num_res_blocks=1).eval().to(device)
        cells = torch.zeros(1, 16, 2, height // 8, width // 8, device=device)
        groups = [each.to(device) for each in frames]
        yield network, lambda: [None for _ in decoded_groups(network, cells)]
        yield network, lambda: encoded(network, iter(groups))

    for foretold, (_, call) in zip(calls("meta"), calls("cpu"), strict=True):
        assert 0.85 < peak_bytes(*foretold, device=CPU) / taken(call) < 1.15


def test_a_card_in_half_precision_needs_half_and_a_quarter_in_eight_bits():
    model = diffusion.describe(NANO).model
    whole, half = memory_needs(model, DEFAULT, CPU), memory_needs(model, DEFAULT, CUDA)
    assert half.weights * 2 == whole.weights
    assert half.working * 2 <= whole.working * 1.1
    assert memory_needs(model, Policy(fp8_weights=True), CUDA).weights * 4 == whole.weights


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_s_needs_are_known_at_its_real_size(family):
    for part, recipe in real_size_recipes(family).items():
        told = memory_needs(recipe, DEFAULT, CUDA)
        space = FAMILIES[family].latent_space
        draws_videos = space.frames_in_cell > 1  # 121 frames of 1280 x 704
        makes_sounds = FAMILIES[family].sound is not None  # 2 million samples of 128 channels
        wide = makes_sounds or space.vae == QWEN21_VAE  # 144 channels of a whole picture
        most = 20 if draws_videos else 6.5 if wide else 4
        assert 0 < told.working < most * GIB, part
        assert 1e6 < told.weights < 70e9, part  # Flux.2 dev has 32 B


def test_shortened_lists_of_blocks_take_what_whole_ones_do():
    recipe = real_size_recipes("flux1")["transformer"]
    network = build(recipe)
    whole = peak_bytes(network, blank_call(recipe, network, torch.float32), device=CPU)
    assert memory_needs(recipe, DEFAULT, CPU).working == whole


def test_what_is_given_back_counts_no_more():
    layer = torch.nn.Linear(8, 8, device="meta")
    x = torch.empty(4, 8, device="meta")

    def chain():
        y = x
        for _ in range(10):
            y = layer(y)
        return y

    assert peak_bytes(layer, chain) == 2 * 4 * 8 * 4  # one that is read, one that is written
