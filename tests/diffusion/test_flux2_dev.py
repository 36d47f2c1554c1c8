"""Flux.2 dev beside what all transformer families are tested for: what it reads of Mistral."""

from __future__ import annotations

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Residency
from nodeforge.diffusion.networks.packed_layers import PackedLayer
from nodeforge.models import FAMILIES, TEXT_ENCODER_KINDS, recognise
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks
from tests.tiny_originals import in_llama_names, under, vae_in_ldm, written, written_gguf

LENGTH = FAMILIES["flux2_dev"].text_length
READ = TEXT_ENCODER_KINDS["mistral_small"].layers


@pytest.fixture(scope="module")
def pipeline():
    return tiny_transformers.flux2_dev()


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    root = tmp_path_factory.mktemp("flux2_dev") / "any"
    pipeline.save_pretrained(root)
    return root


def encoded(recipe, text):
    with Residency("cpu").use(recipe) as encoder:
        return diffusion.encode_text(encoder, recipe, text).prompts[0].embedding


@pytest.mark.parametrize("text", ["", "a fox", "[IMG] a fox", "word " * 200])
@torch.no_grad()
def test_a_prompt_says_what_it_says_in_the_pipeline(pipeline, folder, text):
    """Padded before it; cut at its end."""
    states, _ = pipeline.encode_prompt(text)
    assert states.shape[1] == LENGTH
    assert torch.equal(encoded(diffusion.describe(folder).text_encoder, text), states)


def paired(rows: torch.Tensor, head: int) -> torch.Tensor:
    """As llama.cpp's converter writes queries and keys."""
    return rows.reshape(-1, 2, head // 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


@pytest.mark.parametrize("architecture", ["llama", "mistral3"])
@pytest.mark.parametrize("form", ["F32", "Q8_0"])
def test_a_gguf_text_encoder(pipeline, folder, tmp_path, monkeypatch, architecture, form):
    """Its queries and keys lie as llama.cpp turns them; packed rows are put in order, too."""
    state = pipeline.text_encoder.model.language_model.state_dict()
    turned = {
        name: paired(tensor, 8) if name.endswith(("q_proj.weight", "k_proj.weight")) else tensor
        for name, tensor in state.items()
    }
    file, meant = written_gguf(tmp_path / "a.gguf", in_llama_names(turned), form, architecture)
    use_configs(monkeypatch, "flux2_dev", folder)
    assert recognise(file).encoder == "mistral_small"
    recipe = diffusion.describe_text_encoder(file)
    (network,) = loaded_networks(recipe).values()
    for name in "qk":
        layer = network.layers[0].self_attn.get_submodule(f"{name}_proj")
        found = layer.whole_weight() if isinstance(layer, PackedLayer) else layer.weight
        wanted = meant[f"blk.0.attn_{name}.weight"]
        assert torch.equal(paired(found, 8), wanted)
    difference = encoded(recipe, "a fox") - encoded(
        diffusion.describe(folder).text_encoder, "a fox"
    )
    assert float(difference.abs().max()) <= (0 if form == "F32" else 0.2)


@pytest.mark.parametrize("layout", ["ldm", "diffusers"])
def test_a_vae_with_a_small_decoder_is_read(pipeline, folder, tmp_path, monkeypatch, layout):
    """FLUX.2-small-decoder of Black Forest Labs, 2026: its file alone tells how wide it is."""
    small = tiny_transformers.Flux2(
        **pipeline.components | {"vae": tiny_transformers.flux2_vae((2, 6))}
    )
    small.save_pretrained(tmp_path / "small")
    (wanted,) = loaded_networks(diffusion.describe_vae(tmp_path / "small")).values()
    state = vae_in_ldm(tmp_path / "small") if layout == "ldm" else wanted.state_dict()
    use_configs(monkeypatch, "flux2_dev", folder)
    vae = diffusion.describe_vae(written(tmp_path / "any.safetensors", state))
    (found,) = loaded_networks(vae).values()
    assert found.config.decoder_block_out_channels == [2, 6]
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


@pytest.mark.parametrize("prefix", ["model.", "language_model.model.", "model.language_model.", ""])
@pytest.mark.parametrize("layers", [READ, 32])
def test_files_of_all_layers_and_of_those_that_are_read(
    pipeline, folder, tmp_path, monkeypatch, prefix, layers
):
    """ComfyUI's have 30, and the tokenizer; those of Mistral also have what sees pictures."""
    state = {
        name: tensor
        for name, tensor in pipeline.text_encoder.model.language_model.state_dict().items()
        if not name.startswith("layers.") or int(name.split(".")[1]) < layers
    }
    beside = {"tekken_model": torch.zeros(9, dtype=torch.uint8)}
    if layers > READ:
        beside = {"vision_tower.transformer.layers.0.attention.q_proj.weight": torch.zeros(4, 4)}
    file = written(tmp_path / "any.safetensors", under(prefix, state) | beside)
    use_configs(monkeypatch, "flux2_dev", folder)
    assert recognise(file).encoder == "mistral_small"
    recipe = diffusion.describe_text_encoder(file)
    assert recipe.family == "flux2_dev"
    with Residency("cpu").use(recipe) as encoder:
        assert len(encoder.encoders[0].network.layers) == READ
    whole = encoded(diffusion.describe(folder).text_encoder, "a fox")
    assert torch.equal(encoded(recipe, "a fox"), whole)
