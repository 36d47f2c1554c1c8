"""SD 3 beside what all families of transformers are tested for: its texts, sizes and variants."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LoadingError
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.tensors.latents import LatentSizeError
from nodeforge.diffusion.weights.configs import denoiser_config
from nodeforge.models import FAMILIES, recognise
from nodeforge.values import Guidance, Model, Noise, Sampler, Schedule, Tiling, Weights
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks
from support.model_files import real_names, write_safetensors
from support.pipeline_inputs import SEED
from support.transformer_headers import sd3_large, sd3_medium
from tests.tiny_originals import original, under, vae_in_ldm, written

CHUNK, LENGTH = 77, FAMILIES["sd3"].text_length


@pytest.fixture(scope="module")
def pipeline():
    return tiny_transformers.sd3()


@pytest.fixture(scope="module")
def folder(pipeline, tmp_path_factory):
    root = tmp_path_factory.mktemp("sd3") / "any"
    pipeline.save_pretrained(root)
    return root


@pytest.fixture(scope="module")
def encode(folder, residency):
    recipe = diffusion.describe(folder).text_encoder

    def encoded(text, skip=0, given=recipe):
        with residency.use(given) as encoder:
            return diffusion.encode_text(encoder, given, text, skip)

    return encoded


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("text", ["", "a fox", "word " * 80])
@torch.no_grad()
def test_a_text_says_what_it_says_to_the_pipeline(pipeline, encode, text, skip):
    """A long one loses its end: CLIP reads a chunk of it, T5 256 tokens."""
    state, _, pooled, _ = pipeline.encode_prompt(text, text, text, clip_skip=skip or None)
    said = encode(text, skip)
    assert torch.equal(said.prompts[0].embedding, state)
    assert torch.equal(said.prompts[0].pooled, pooled)
    empty, _, pooled, _ = pipeline.encode_prompt("", "", "", clip_skip=skip or None)
    assert torch.equal(said.empty_prompt.embedding, empty)
    assert torch.equal(said.empty_prompt.pooled, pooled)


def test_weights_move_the_tokens_of_both_kinds_of_encoders(encode):
    plain, more, empty = (encode(text).prompts[0].embedding for text in ("fox", "(fox:1.5)", ""))
    for start in (1, CHUNK):  # CLIP's first token is a mark
        word = slice(start, start + 2)
        moved = empty + 1.5 * (plain - empty)
        assert torch.allclose(more[:, word], moved[:, word], atol=1e-6)
    assert torch.equal(encode("(fox:1.5)").prompts[0].pooled, encode("fox").prompts[0].pooled)


def test_layers_that_are_not_there_are_not_skipped(encode):
    with pytest.raises(diffusion.PromptError, match="clip skip 3 is not possible"):
        encode("fox", 3)


@pytest.fixture
def files(monkeypatch, folder, tmp_path):
    """Its text encoders in files of their own, by kind, and a checkpoint of all else and CLIP."""
    networks = loaded_networks(*diffusion.describe(folder))
    states = {part: network.state_dict() for part, network in networks.items()}
    use_configs(monkeypatch, "sd3", folder)
    kinds = FAMILIES["sd3"].text_encoders
    made = {k: written(tmp_path / f"{k}.safetensors", states[part]) for part, k in kinds.items()}
    clips = (
        under(f"text_encoders.{kinds[part]}.transformer.", states[part])
        for part in ("text_encoder", "text_encoder_2")
    )
    denoiser = under("model.diffusion_model.", original(states["transformer"]))
    vae = under("first_stage_model.", vae_in_ldm(folder))
    whole = denoiser | vae | next(clips) | next(clips)
    return {**made, "whole": written(tmp_path / "sd3.5_medium_incl_clips.safetensors", whole)}


def test_a_checkpoint_s_text_encoders_are_used_beside_those_that_are_given(files, encode):
    assert {*recognise(files["whole"]).parts} == {
        *("transformer", "vae", "text_encoder", "text_encoder_2")
    }
    both = diffusion.describe(files["whole"]).text_encoder
    assert [part.kind for part in both.parts] == ["clip_l", "clip_g"]
    three = diffusion.describe(files["whole"], text_encoders=[files["t5_xxl"]]).text_encoder
    assert [part.kind for part in three.parts] == ["clip_l", "clip_g", "t5_xxl"]
    assert torch.equal(
        encode("fox", 0, three).prompts[0].embedding, encode("fox").prompts[0].embedding
    )


def test_without_t5_its_places_are_zeros(files, encode):
    given = [files["clip_g"], files["clip_l"]]
    assert diffusion.describe_text_encoder(*given).family == "sdxl"  # who reads with just these
    recipe = diffusion.describe_text_encoder(*given, family="sd3")
    (prompt,) = encode("fox", 0, recipe).prompts
    assert prompt.embedding.shape == (1, CHUNK + LENGTH, FAMILIES["sd3"].width)
    assert not prompt.embedding[:, CHUNK:].any()
    (whole,) = encode("fox").prompts
    clip = whole.embedding[:, :CHUNK]
    assert torch.equal(prompt.embedding[:, :CHUNK, : clip.shape[2]], clip)
    assert torch.equal(prompt.pooled, whole.pooled)
    for missing in (["clip_l", "t5_xxl"], ["clip_g", "t5_xxl"], ["t5_xxl"]):
        with pytest.raises(LoadingError, match="OpenCLIP-G and T5-XXL for SD 3"):
            diffusion.describe_text_encoder(*(files[each] for each in missing), family="sd3")


def test_pictures_beyond_its_places_are_refused(host, folder, encode):
    """Its table of places is as long as 32 tokens along a side."""
    said = encode("fox")
    task = Denoising(
        diffusion.describe(folder).model, said, Sampler("flow_euler"), Schedule("normal", 1),
        Guidance(1.0), said, noise=Noise(SEED, 128, 132),
    )  # fmt: skip
    with pytest.raises(LatentSizeError, match="128 × 132 pixels: this model has places for 128"):
        diffusion.denoise(host, task)
    tiled = replace(task, model=replace(task.model, tiling=Tiling(96, 32)))
    assert diffusion.denoise(host, tiled).samples.shape[-2:] == (66, 64)


MODELS = {
    "medium": (sd3_medium, 2_028_328_000, (None, 24, 192, [])),
    "medium_35": (dict, 2_243_171_520, ("rms_norm", 24, 384, list(range(13)))),
}


@pytest.mark.parametrize("variant", MODELS)
@pytest.mark.parametrize("layout", ["original", "transformer"])
def test_a_header_tells_the_configuration(tmp_path, variant, layout):
    make, parameters, wanted = MODELS[variant]
    shapes = make(real_names()[f"sd3_{layout}"])
    file = write_safetensors(tmp_path / "m.safetensors", shapes, dtype="BF16")
    assert recognise(file).variant == variant
    weights = Weights(str(file), "", "sd3", "transformer")
    config = denoiser_config(weights)
    told = ("qk_norm", "num_attention_heads", "pos_embed_max_size", "dual_attention_layers")
    assert tuple(config[name] for name in told) == wanted
    assert sum(each.numel() for each in build(Model(weights)).parameters()) == parameters


def test_large_is_wider_and_deeper(tmp_path):
    shapes = sd3_large(real_names()["sd3_original"])
    more = {
        n.replace("blocks.1.", f"blocks.{block}.", 1): s
        for block in range(23, 37)
        for n, s in shapes.items()
        if n.startswith("joint_blocks.1.")
    }
    last = {
        n.replace("blocks.23.", "blocks.37.", 1): s
        for n, s in shapes.items()
        if n.startswith("joint_blocks.23.")
    }
    file = write_safetensors(tmp_path / "m.safetensors", {**shapes, **more, **last}, dtype="BF16")
    assert recognise(file).variant == "large"
    network = build(Model(Weights(str(file), "", "sd3", "transformer")))
    assert sum(each.numel() for each in network.parameters()) == 8_056_627_520
