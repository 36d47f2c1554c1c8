"""SDXL's text encoders from two files or folders of their own: what a whole model says."""

from __future__ import annotations

import shutil

import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import LoadingError, encode_text
from nodeforge.models import FAMILIES
from tests.support.family_configs import use_configs

PARTS = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch, sdxl_folder):
    """The family's offline configuration is the tiny model's, so that its single files load."""
    use_configs(monkeypatch, "sdxl", sdxl_folder)


@pytest.fixture
def apart(sdxl_folder, tmp_path):
    for name, part in PARTS.items():
        shutil.copy(sdxl_folder / part / "model.safetensors", tmp_path / f"{name}.safetensors")
    return [tmp_path / f"{name}.safetensors" for name in PARTS]


def said(host, recipe):
    with host.use(recipe) as encoder:
        prompt = encode_text(encoder, recipe, "a (red:1.2) cat").prompts[0]
    return prompt.embedding, prompt.pooled


def assert_same(host, recipe, whole):
    for ours, theirs in zip(said(host, recipe), said(host, whole), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("turned", [False, True])
def test_two_files_in_any_order_say_what_the_whole_model_says(host, sdxl, apart, turned):
    recipe = diffusion.describe_text_encoder(*(reversed(apart) if turned else apart))
    assert recipe.family == "sdxl"
    assert_same(host, recipe, sdxl.text_encoder)


def test_two_folders_say_what_the_whole_model_says(host, sdxl, sdxl_folder, tmp_path):
    folders = [shutil.copytree(sdxl_folder / part, tmp_path / part) for part in PARTS.values()]
    assert_same(host, diffusion.describe_text_encoder(*folders), sdxl.text_encoder)


def test_another_second_one_is_another_network(host, apart):
    before = said(host, diffusion.describe_text_encoder(*apart))
    changed = {name: tensor * 1.1 for name, tensor in load_file(apart[1]).items()}
    save_file(changed, other := apart[1].with_name("other.safetensors"))
    after = said(host, diffusion.describe_text_encoder(apart[0], other))
    width = FAMILIES["sdxl"].width - 1280
    assert torch.equal(before[0][..., :width], after[0][..., :width])
    assert not torch.equal(before[0], after[0])


def test_what_does_not_belong_together_is_refused(apart, sdxl_folder, tmp_path):
    with pytest.raises(LoadingError, match="CLIP-L and CLIP-L do not"):
        diffusion.describe_text_encoder(apart[0], apart[0])
    with pytest.raises(LoadingError, match="a checkpoint and OpenCLIP-G do not"):
        diffusion.describe_text_encoder(sdxl_folder, apart[1])
    with pytest.raises(LoadingError, match="OpenCLIP-G does not suffice"):
        diffusion.describe_text_encoder(apart[1], family="sdxl")
    vae = tiny_models.write_single_file(sdxl_folder, tmp_path / "vae.safetensors", parts=["vae"])
    with pytest.raises(LoadingError, match="a vae"):
        diffusion.describe_text_encoder(apart[0], vae)
