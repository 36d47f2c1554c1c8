"""Models written with their matrices in 8 bits, which draw what the larger ones drew, nearly."""

from __future__ import annotations

import json

import pytest
import tiny_transformers
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from nodeforge import diffusion
from nodeforge.diffusion import LoadingError
from nodeforge.diffusion.weights import saving
from nodeforge.diffusion.weights.saving import save_smaller
from nodeforge.models import recognise
from tests.support.family_configs import use_configs
from tests.support.loaded_networks import loaded_networks, packed_layers, whole_state
from tests.tiny_originals import hadamard, original, written


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A tiny Flux.1 in its authors' names, with what its matrices are."""
    folder = tmp_path / "flux1"
    tiny_transformers.PIPELINES["flux1"]().save_pretrained(folder)
    state = original(loaded_networks(diffusion.describe(folder).model)["transformer"].state_dict())
    use_configs(monkeypatch, "flux1", folder)
    monkeypatch.setattr(saving, "_LEAST", 1)
    monkeypatch.setattr(saving, "_ROTATED", 16)
    monkeypatch.setattr(saving, "_ROWS", 100)  # so few that a matrix is rounded in pieces
    file = written(tmp_path / "large.safetensors", state, metadata={"modelspec.title": "A model"})
    return file, state


@pytest.mark.parametrize(
    ("form", "label", "most"), [("int8", "int8", 0.012), ("fp8", "scaled fp8", 0.07)]
)
def test_it_is_read_as_what_it_says_and_is_near(model, tmp_path, form, label, most):
    file, state = model
    target = tmp_path / "new" / "small.safetensors"
    count = save_smaller(file, target, form)
    assert recognise(target).quantisation == label
    assert target.stat().st_size < 0.55 * file.stat().st_size
    network = loaded_networks(diffusion.describe_denoiser(target))["transformer"]
    assert len(packed_layers(network)) >= count > 10
    for name, tensor in original(whole_state(network)).items():
        assert (tensor - state[name]).norm() <= most * state[name].norm(), name
    with safe_open(target, "pt") as there:
        assert there.metadata() == {"modelspec.title": "A model"}


def test_the_rotated_form_is_the_published_one(model, tmp_path):
    """Each row's largest number is 127, of inputs turned by the Kronecker power of 4 x 4."""
    file, state = model
    save_smaller(file, tmp_path / "small.safetensors", "int8")
    small = load_file(tmp_path / "small.safetensors")
    (name, *_) = (each for each in small if each.endswith(".comfy_quant"))
    layer = name.removesuffix(".comfy_quant")
    told = json.loads(bytes(small[name].tolist()))
    assert told == {"format": "int8_tensorwise", "convrot": True, "convrot_groupsize": 16}
    whole = state[f"{layer}.weight"]
    turned = (whole.view(len(whole), -1, 16) @ hadamard(16)).view(whole.shape)
    scale = turned.abs().amax(1, keepdim=True) / 127
    torch.testing.assert_close(small[f"{layer}.weight_scale"], scale)
    off = (small[f"{layer}.weight"].float() - turned / scale).abs().max()
    assert off <= 0.5 + 1e-3
    assert small[f"{layer}.weight"].abs().amax(1).eq(127).all()


def test_what_is_small_already_or_no_model_is_refused(model, tmp_path):
    file, _ = model
    small = tmp_path / "small.safetensors"
    save_smaller(file, small, "fp8")
    with pytest.raises(LoadingError, match="scaled fp8 already"):
        save_smaller(small, tmp_path / "smaller.safetensors", "int8")
    lora = written(tmp_path / "lora.safetensors", {"lora_unet_x.lora_up.weight": torch.ones(4, 4)})
    with pytest.raises(LoadingError, match="no file of a denoiser"):
        save_smaller(lora, tmp_path / "other.safetensors", "int8")
    assert not (tmp_path / "smaller.safetensors").exists()


def test_nothing_large_is_said(model, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "_LEAST", 10**9)
    with pytest.raises(LoadingError, match="nothing would be smaller"):
        save_smaller(model[0], tmp_path / "small.safetensors", "int8")
