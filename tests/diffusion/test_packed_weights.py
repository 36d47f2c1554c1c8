"""Weights that stay as their file has them, in 8 bits and less, and give the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import gguf
import numpy as np
import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LoadingError, Residency
from nodeforge.diffusion.adapters.lora import LoadedLora, LoraHooks, WeightedLora
from nodeforge.diffusion.adapters.lora_weights import LowRank
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.loading import weight_bytes
from nodeforge.diffusion.networks.packed_layers import PackedLayer
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.diffusion.weights.gguf_blocks import UNPACK
from nodeforge.diffusion.weights.packing import Packing
from nodeforge.diffusion.weights.packing import hadamard as ours
from nodeforge.models import recognise
from nodeforge.settings import MemoryMode
from nodeforge.values import Guidance, Noise, Sampler, Schedule, TextEncoderPart, Weights
from tests.support.family_configs import use_configs
from tests.support.loaded_networks import loaded_networks, packed_layers
from tests.support.pipeline_inputs import shown_to
from tests.tiny_originals import (
    hadamard,
    int8,
    original,
    scaled_fp8,
    unscaled,
    whole_int8,
    written,
    written_gguf,
)

FAMILIES = {
    "flux1": "flux1", "z_image": "z_image", "flux2_klein": "flux2_klein_4b", "wan": "wan21",
    "flux2_dev": "flux2_dev", "flux3": "flux3_klein", "qwen_image": "qwen_image", "krea2": "krea2",
    "qwen_image_21": "qwen_image_21", "sd3": "sd3", "anima": "anima",
    "qwen_image_layered": "qwen_image_layered",
}  # fmt: skip
FORMS = ("fp8", "scaled fp8", "by rows", "int8", "int8 rotated", "Q4_0", "Q5_1", "Q8_0")
LABELS = {"by rows": "scaled fp8", "int8 rotated": "int8"}


@pytest.mark.parametrize("kind", UNPACK)
def test_blocks_mean_what_the_gguf_package_says(kind):
    """Any bytes, infinities and what is no number among them."""
    numbers, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    rows = np.random.default_rng(1).integers(0, 256, (12, 3 * size), dtype=np.uint8)
    with np.errstate(all="ignore"):
        wanted = gguf.quants.dequantize(rows, gguf.GGMLQuantizationType[kind])
    found = Packing(kind).unpack(torch.from_numpy(rows), None, torch.float32)
    assert found.shape == (12, 3 * numbers)
    np.testing.assert_array_equal(found.numpy(), wanted)


@pytest.mark.parametrize("size", [4, 16, 64, 256, 1024])
def test_a_rotation_is_its_own_inverse(size):
    turn = ours(size, torch.device("cpu"))
    assert torch.equal(turn / size**0.5, hadamard(size))
    assert torch.equal(turn @ turn, size * torch.eye(size))
    whole = torch.randint(-127, 128, (3, 4 * size), dtype=torch.int8)
    found = Packing("I8", size).unpack(whole.view(torch.uint8), None, torch.float32)
    assert torch.equal(found, (whole.float().view(3, 4, size) @ hadamard(size)).view(3, -1))


def test_pieces_are_the_whole(monkeypatch):
    """Rows are made whole a few at a time: neither scales nor rotations are mixed up."""
    state = int8({"x.weight": torch.randn(7, 512)}, rotated=256)
    monkeypatch.setattr("nodeforge.diffusion.weights.packing.PIECE", 1024)
    rows, factors = state["x.weight"].view(torch.uint8), state["x.weight_scale"]
    found = Packing("I8", 256).unpack(rows, factors, torch.float32)
    assert torch.equal(found, whole_int8(state)["x.weight"])
    assert found.dtype == torch.float32


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    tiny_transformers.PIPELINES[request.param]().save_pretrained(root)
    return root, FAMILIES[request.param]


@pytest.fixture
def case(folder, monkeypatch):
    """A tiny model, its denoiser's weights in its authors' names, and prompts for it."""
    root, family = folder
    described = diffusion.describe(root)
    state = original(loaded_networks(described.model)["transformer"].state_dict())
    use_configs(monkeypatch, family, root)
    with Residency("cpu").use(described.text_encoder) as encoder:
        prompts = [
            diffusion.encode_text(encoder, described.text_encoder, text) for text in ("fox", "")
        ]
    channels = diffusion.facts(described.model).latent_channels
    prompts = [shown_to(each, 32, 64, channels) for each in prompts]
    return SimpleNamespace(root=root, family=family, state=state, prompts=prompts)


def files(state, form: str, folder: Path) -> tuple[Path, Path]:
    """A file in that form, and one with the plain numbers that it means."""
    if form in ("Q4_0", "Q5_1", "Q8_0"):
        path, meant = written_gguf(folder / "small.gguf", state, form)
        return path, written(folder / "large.safetensors", meant)
    if form.startswith("int8"):
        small = int8(state, 16 if form == "int8 rotated" else 0)
        meant = whole_int8(small)
    elif form == "fp8":
        small = {n: t.to(torch.float8_e4m3fn) for n, t in state.items()}
        meant = {n: t.float() for n, t in small.items()}
    else:
        small = scaled_fp8(state, "weight_scale by rows" if form == "by rows" else "weight_scale")
        meant = unscaled(small)
    return written(folder / "small.safetensors", small), written(
        folder / "large.safetensors", meant
    )


def latent(model, prompts, residency):
    task = Denoising(
        model, prompts[0], Sampler("flow_euler"), Schedule("simple", 2), Guidance(3.0),
        negative=prompts[1], noise=Noise(1, 32, 64),
    )  # fmt: skip
    return diffusion.denoise(diffusion.LocalHost(residency), task).samples


@pytest.mark.parametrize("form", FORMS)
def test_a_packed_denoiser_draws_what_its_numbers_draw(case, form, tmp_path):
    small, large = files(case.state, form, tmp_path)
    info = recognise(small)
    label = f"GGUF {form}" if form[0] == "Q" else LABELS.get(form, form)
    assert (info.family, info.quantisation) == (case.family, label)
    one, other = map(diffusion.describe_denoiser, (small, large))
    kept, plain = Residency("cpu"), Residency("cpu")
    assert torch.equal(latent(one, case.prompts, kept), latent(other, case.prompts, plain))
    with kept.use(one) as loaded:
        layers = packed_layers(loaded.network)
        assert len(layers) > 10
        assert all(each.rows.dtype == torch.uint8 for each in layers.values())
        held = sum(each.nbytes for each in loaded.network.parameters())
        held += sum(b.nbytes for each in layers.values() for b in each.buffers())
    needed = weight_bytes(build(one), one, DEFAULT, torch.device("cpu"))
    largest = max(4 * each.weight_shape.numel() for each in layers.values())
    assert needed == held + largest
    assert kept.bytes_held < plain.bytes_held
    low = Residency("cpu", Policy(MemoryMode.VERY_LOW))
    assert torch.equal(latent(one, case.prompts, low), latent(other, case.prompts, plain))
    with low.use(one) as loaded:
        assert stream_of(loaded.network) is not None


def test_bytes_in_memory_are_those_on_the_disk(case, tmp_path):
    small, _ = files(case.state, "Q4_0", tmp_path)
    network = loaded_networks(diffusion.describe_denoiser(small))["transformer"]
    for name, layer in packed_layers(network).items():
        assert layer.rows.nbytes == layer.weight_shape.numel() // 32 * 18, name
        assert layer.weight.shape == layer.weight_shape
        assert layer.weight.untyped_storage().nbytes() == 4


@pytest.mark.parametrize("form", ["int8 rotated", "Q4_0"])
def test_loras_lie_over_packed_weights_and_leave_them(case, form, tmp_path):
    small, large = files(case.state, form, tmp_path)
    one, other = (
        loaded_networks(diffusion.describe_denoiser(each))["transformer"] for each in (small, large)
    )
    name, layer = next(
        (n, m) for n, m in packed_layers(one).items() if isinstance(m, torch.nn.Linear)
    )
    out, into = layer.weight.shape
    made = LowRank(torch.randn(3, into), torch.randn(out, 3), None, 3.0, 3.0)
    lora = WeightedLora(LoadedLora({name: made}), 0.5, ())
    x = torch.randn(2, into)
    before = layer(x)
    with LoraHooks(one).attach([lora]), LoraHooks(other).attach([lora]):
        changed = layer(x)
        assert torch.equal(changed, other.get_submodule(name)(x))
        assert not torch.equal(changed, before)
    assert torch.equal(layer(x), before)


def test_a_packed_text_encoder_says_what_its_numbers_say(tmp_path, monkeypatch):
    """A GGUF of llama.cpp's names, with a packed table of words."""
    pipeline = tiny_transformers.PIPELINES["wan"]()
    pipeline.save_pretrained(tmp_path / "wan")
    use_configs(monkeypatch, "wan21", tmp_path / "wan")
    state = pipeline.text_encoder.state_dict()
    theirs = {
        "shared.weight": "token_embd.weight",
        "encoder.final_layer_norm.weight": "enc.output_norm.weight",
    }
    inner = {
        "layer.0.SelfAttention.q": "attn_q", "layer.0.SelfAttention.k": "attn_k",
        "layer.0.SelfAttention.v": "attn_v", "layer.0.SelfAttention.o": "attn_o",
        "layer.0.SelfAttention.relative_attention_bias": "attn_rel_b",
        "layer.0.layer_norm": "attn_norm", "layer.1.DenseReluDense.wi_0": "ffn_gate",
        "layer.1.DenseReluDense.wi_1": "ffn_up", "layer.1.DenseReluDense.wo": "ffn_down",
        "layer.1.layer_norm": "ffn_norm",
    }  # fmt: skip
    for name in state:
        if name.startswith("encoder.block."):
            number, module = name.removeprefix("encoder.block.").split(".", 1)
            theirs[name] = f"enc.blk.{number}.{inner[module.removesuffix('.weight')]}.weight"
    renamed = {new: state[old] for old, new in theirs.items()}
    path, meant = written_gguf(tmp_path / "umt5.gguf", renamed, "Q8_0", "t5encoder")
    back = {old: meant[new] for old, new in theirs.items()}
    plain = written(tmp_path / "umt5.safetensors", back)
    assert recognise(path).kind == recognise(plain).kind == "text_encoder"
    networks = [
        loaded_networks(TextEncoderPart("umt5_xxl", Weights(str(each), "", "", "text_encoder")))
        for each in (path, plain)
    ]
    one, other = (each["text_encoder"] for each in networks)
    assert isinstance(one.shared, PackedLayer)
    ids = torch.tensor([[3, 5, 5, 1]])
    found, wanted = (each(ids).last_hidden_state for each in (one, other))
    assert torch.equal(found, wanted)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"format": "int8_tensorwise", "convrot": True, "convrot_groupsize": 48}, "groups of 48"),
        ({"format": "int8_tensorwise", "convrot": True, "convrot_groupsize": "x"}, "groups of x"),
        ({"format": "int4_tensorwise"}, "int4_tensorwise"),
        (["format"], "unknown"),
    ],
)
def test_forms_that_are_not_read_are_named(case, told, said, tmp_path):
    small = int8(case.state)
    mark = torch.tensor(list(json.dumps(told).encode()), dtype=torch.uint8)
    made = {n: mark.clone() if n.endswith("comfy_quant") else t for n, t in small.items()}
    file = written(tmp_path / "small.safetensors", made)
    with pytest.raises(LoadingError, match=said):
        loaded_networks(diffusion.describe_denoiser(file))


def test_blocks_that_are_not_read_are_named(case, tmp_path):
    size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType.TQ2_0][1]
    writer = gguf.GGUFWriter(tmp_path / "odd.gguf", "flux")
    for name, tensor in case.state.items():
        writer.add_tensor(name, tensor.float().numpy())
    writer.add_tensor(
        "odd.weight", np.zeros((4, size), np.uint8), raw_dtype=gguf.GGMLQuantizationType.TQ2_0
    )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    info = recognise(tmp_path / "odd.gguf")
    assert info.family is None
    assert info.reason == "GGUF TQ2_0 is not read"
