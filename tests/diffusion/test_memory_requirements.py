"""What a network needs, known before it is loaded, against what torch then takes."""

from __future__ import annotations

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from nodeforge import diffusion
from nodeforge.diffusion.memory.requirements import memory_needs, peak_bytes
from nodeforge.diffusion.networks.loading import load
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.models import FAMILIES
from nodeforge.settings import GIB, shipped
from nodeforge.values import Model, Vae, Weights

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


def test_the_working_memory_is_foretold():
    model, _, vae = diffusion.describe(NANO)
    unet, decoder = load(model, CPU).network, load(vae, CPU).network
    x, words = torch.randn(2, 8, 16, 16), torch.randn(2, 77, unet.config.cross_attention_dim)
    for recipe, call in (
        (model, lambda: unet(x, 1, words, return_dict=False)),
        (vae, lambda: decoder.decode(x[:1], return_dict=False)),
    ):
        told = memory_needs(recipe, DEFAULT, CPU)
        assert 0.7 < told.working / taken(call) < 1.2  # convolutions take scratch of their own
        assert told.weights == sum(p.nbytes for p in load(recipe, CPU).network.parameters())


def test_a_card_in_half_precision_needs_half_and_a_quarter_in_eight_bits():
    model = diffusion.describe(NANO).model
    whole, half = memory_needs(model, DEFAULT, CPU), memory_needs(model, DEFAULT, CUDA)
    assert half.weights * 2 == whole.weights
    assert half.working * 2 <= whole.working * 1.1
    assert memory_needs(model, Policy(fp8_weights=True), CUDA).weights * 4 == whole.weights


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_family_s_needs_are_known_at_its_real_size(family):
    folder = NANO if family.name == "nano" else family.config_folder
    for recipe, part in ((Model, "unet"), (Vae, "vae")):
        told = memory_needs(recipe(Weights(str(folder), "", family.name, part)), DEFAULT, CUDA)
        assert 0 < told.working < 4 * GIB
        assert 10e6 < told.weights < 6 * GIB


def test_what_is_given_back_counts_no_more():
    layer = torch.nn.Linear(8, 8, device="meta")
    x = torch.empty(4, 8, device="meta")

    def chain():
        y = x
        for _ in range(10):
            y = layer(y)
        return y

    assert peak_bytes(layer, chain) == 2 * 4 * 8 * 4  # one that is read, one that is written
