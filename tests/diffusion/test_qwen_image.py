"""Qwen-Image beside what all families of transformers are tested for: guidance, levels, parts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import tiny_transformers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LoadingError
from nodeforge.diffusion.guidance.formulas import (
    GuidanceState,
    Predictions,
    apply_guidance,
)
from nodeforge.diffusion.tensors.packing import pack
from nodeforge.diffusion.tensors.prediction import Clean
from nodeforge.diffusion.text.seeing import patches_of
from nodeforge.models import recognise
from nodeforge.values import Guidance, Image, KeptNorm, Noise, Sampler, Schedule
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks
from support.pipeline_inputs import SEED, as_image, difference, picture
from tests.tiny_originals import in_llama_names, written_gguf


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("qwen") / "any"
    tiny_transformers.qwen_image().save_pretrained(root)
    return root


@pytest.fixture
def task(host, folder):
    described = diffusion.describe(folder)
    with host.use(described.text_encoder) as encoder:
        said = [
            diffusion.encode_text(encoder, described.text_encoder, text) for text in ("fox", "dull")
        ]
    return Denoising(
        described.model, said[0], Sampler("flow_euler"), Schedule("simple", 4), Guidance(4.0),
        said[1], noise=Noise(SEED, 32, 32),
    )  # fmt: skip


def lengths(x):
    return pack(x).norm(dim=-1)


def test_guidance_keeps_the_length_of_tokens_or_of_cells():
    chance = torch.Generator().manual_seed(1)
    x, wanted, unwanted = (torch.randn(1, 4, 6, 8, generator=chance) for _ in range(3))
    wanted[..., :2, :2] = 0  # a token that says nothing
    clean = Clean(x, torch.tensor(0.7), "flow_prediction")

    def made(norm):
        guidance = Guidance(4.0, norm=norm)
        return apply_guidance(guidance, Predictions(wanted, unwanted), clean, GuidanceState())

    plain = made(None)
    assert torch.equal(made(KeptNorm.OFF), plain)
    assert torch.allclose(lengths(made(KeptNorm.TOKENS)), lengths(wanted))
    cells = clean(made(KeptNorm.CELLS)).norm(dim=1)
    assert torch.allclose(cells, clean(plain).norm(dim=1).minimum(clean(wanted).norm(dim=1)))


def test_guidance_is_plain_where_it_is_off_and_in_comfyui(host, task):
    def drawn(**more):
        return diffusion.denoise(host, replace(task, **more)).samples

    own, off = drawn(), drawn(guidance=Guidance(4.0, norm=KeptNorm.OFF))
    assert difference(own, off) > 1e-3
    assert torch.equal(own, drawn(guidance=Guidance(4.0, norm=KeptNorm.TOKENS)))
    sampler = Sampler("euler", convention="comfyui")
    theirs = drawn(sampler=sampler)
    assert torch.equal(theirs, drawn(sampler=sampler, guidance=Guidance(4.0, norm=KeptNorm.OFF)))
    cells = Guidance(4.0, norm=KeptNorm.CELLS)
    assert difference(theirs, drawn(sampler=sampler, guidance=cells)) > 1e-3


def test_comfyui_s_levels_are_shifted_alone(host, task):
    """By exp(1.15), and not stretched to a last level."""
    even, shift = np.linspace(1, 0, 5)[:-1], math.exp(1.15)
    moved = shift * even / (1 + (shift - 1) * even)
    comfyui = replace(task, sampler=Sampler("euler", convention="comfyui"))
    given = replace(comfyui, schedule=Schedule("custom", 4, sigmas=(*moved, 0.0)))
    ours = diffusion.denoise(host, comfyui).samples
    assert difference(ours, diffusion.denoise(host, given).samples) < 1e-5


def test_a_shift_of_3_gives_the_levels_of_the_lightning_loras(host, task):
    """Their authors' scheduler: base_shift and max_shift are log 3, no shift_terminal."""
    theirs = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=math.log(3), max_shift=math.log(3)
    )
    theirs.set_timesteps(sigmas=np.linspace(1, 1 / 4, 4), mu=math.log(3))
    given = replace(task, schedule=Schedule("custom", 4, sigmas=tuple(theirs.sigmas.tolist())))
    wanted = diffusion.denoise(host, given).samples
    shifted = replace(task, model=diffusion.shifted(task.model, 3.0))
    assert difference(diffusion.denoise(host, shifted).samples, wanted) < 1e-5
    assert difference(diffusion.denoise(host, task).samples, wanted) > 1e-3


def test_a_picture_is_coded_in_tiles(host, folder, monkeypatch):
    for name, pixels in {"TILE": 32, "OVERLAP": 8}.items():
        monkeypatch.setattr(f"nodeforge.diffusion.vae.autoencoder.{name}", pixels)
    with host.use(diffusion.describe(folder).vae) as vae:
        whole = diffusion.encode(vae, as_image(picture()))
        tiled = diffusion.encode(vae, as_image(picture()), tiled=True)
        assert tiled.samples.shape == whole.samples.shape
        made = diffusion.decode(vae, whole, tiled=True).pixels
        assert 0 < difference(made, diffusion.decode(vae, whole).pixels) < 0.1


def test_a_gguf_text_encoder_reads_words_and_sees_no_pictures(monkeypatch, host, folder, tmp_path):
    use_configs(monkeypatch, "qwen_image", folder)
    described = diffusion.describe(folder)
    (network,) = loaded_networks(described.text_encoder).values()
    state = in_llama_names(network.language_model.state_dict())
    file, _ = written_gguf(tmp_path / "any.gguf", state, "F32", "qwen2vl")
    assert recognise(file).encoder == "qwen25_vl_7b"
    other, _ = written_gguf(tmp_path / "words.gguf", state, "F32", "qwen2")
    assert "without the network that sees" in recognise(other).reason
    recipe = diffusion.describe_text_encoder(file)
    with host.use(recipe) as blind, host.use(described.text_encoder) as whole:
        found = diffusion.encode_text(blind, recipe, "fox").prompts[0].embedding
        wanted = diffusion.encode_text(whole, described.text_encoder, "fox").prompts[0].embedding
        assert torch.equal(found, wanted)
        with pytest.raises(LoadingError, match="lacks the network that sees"):
            patches_of(blind.encoders[0].network, [Image(torch.zeros(1, 64, 64, 3))], 384)
