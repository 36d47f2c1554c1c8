"""Transformer families from the files that people have: every layout gives the folder's weights."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import tiny_transformers
import torch
from safetensors.torch import load_file

from nodeforge import diffusion
from nodeforge.diffusion import LoadingError
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.schedules.schedule import shift_of
from nodeforge.models import FAMILIES, ModelFileError, recognise
from nodeforge.values import TextEncoderPart, Weights
from tests.support.family_configs import use_configs
from tests.support.loaded_networks import loaded_networks, whole_state
from tests.tiny_originals import original, scaled_fp8, under, unscaled, vae_in_ldm, written

FAMILY = {
    "flux1": "flux1", "flux1_schnell": "flux1", "flux1_fill": "flux1", "chroma": "chroma",
    "z_image": "z_image", "flux2_klein": "flux2_klein_4b", "wan": "wan21",
    "flux2_dev": "flux2_dev", "flux3": "flux3_klein", "qwen_image": "qwen_image", "krea2": "krea2",
    "qwen_image_21": "qwen_image_21", "sd3": "sd3", "sd3_medium": "sd3",
    "qwen_image_layered": "qwen_image_layered",
}  # fmt: skip
PREFIXES = ("", "model.diffusion_model.", "diffusion_model.", "net.")
BUNDLED = {
    "clip_l": "clip_l", "clip_g": "clip_g", "t5_xxl": "t5xxl", "qwen3_4b": "qwen3_4b",
    "umt5_xxl": "umt5xxl", "mistral_small": "mistral3_24b", "qwen25_vl_7b": "qwen25_7b",
    "qwen3_vl_4b": "qwen3vl_4b",
    "qwen3_vl_8b": "qwen3vl_8b",
}  # fmt: skip


@pytest.fixture(scope="module", params=FAMILY)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory):
    root = tmp_path_factory.mktemp(name)
    tiny_transformers.PIPELINES[name]().save_pretrained(root)
    return root


@pytest.fixture(scope="module")
def wanted(folder):
    """Every network's weights, as the folder gives them."""
    networks = loaded_networks(*diffusion.describe(folder))
    return {part: network.state_dict() for part, network in networks.items()}


@pytest.fixture
def tiny(monkeypatch, name, folder):
    use_configs(monkeypatch, FAMILY[name], folder)


def assert_equal(found, wanted):
    assert found.keys() <= wanted.keys()
    for part, network in found.items():
        state = whole_state(network)
        assert state.keys() == wanted[part].keys()
        for key, tensor in state.items():
            assert torch.equal(tensor, wanted[part][key]), f"{part} {key}"


def without_projection(state):
    """CLIP-L as it is in single files, of which no family reads the projection."""
    plain = {n.removeprefix("text_model."): t for n, t in state.items()}
    return {n: t for n, t in plain.items() if n != "text_projection.weight"}


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_a_denoiser_alone(tiny, name, folder, wanted, tmp_path, layout, prefix):
    state = dict(wanted["transformer"])
    state = under(prefix, original(state) if layout == "original" else state)
    foreign = {"__index_timestep_zero__": torch.zeros(0), "norm_final.weight": torch.ones(2)}
    file = written(tmp_path / "any.safetensors", {**state, **foreign})
    info = recognise(file)
    plain = wanted["transformer"]
    same = (
        original(plain).keys() == plain.keys()
    )  # its authors and diffusers call its layers the same
    assert (info.kind, info.family) == ("unet", FAMILY[name])
    assert info.layout == ("original" if same else layout)
    model = diffusion.describe_denoiser(file)
    assert diffusion.facts(model).reads_mask == (name == "flux1_fill") == info.inpainting
    assert_equal(loaded_networks(model), wanted)


@pytest.mark.parametrize("vae_prefix", ["vae.", "first_stage_model."])
def test_a_checkpoint_of_all_networks(tiny, name, folder, wanted, tmp_path, vae_prefix):
    state = under("model.diffusion_model.", original(wanted["transformer"]))
    state |= under(vae_prefix, vae_in_ldm(folder))
    for part, kind in FAMILIES[FAMILY[name]].text_encoders.items():
        inner = "model." if kind.startswith("qwen") else ""
        state |= under(f"text_encoders.{BUNDLED[kind]}.transformer.{inner}", wanted[part])
    info = recognise(written(tmp_path / "all.safetensors", state))
    assert (info.kind, info.family) == ("checkpoint", FAMILY[name])
    assert {*info.parts} == {*wanted}
    described = diffusion.describe(tmp_path / "all.safetensors")
    one, other = (diffusion.facts(each.model) for each in (described, diffusion.describe(folder)))
    assert replace(one, scheduler={}, variant="") == replace(other, scheduler={}, variant="")
    assert shift_of(one.scheduler) == shift_of(other.scheduler)
    found = loaded_networks(*described)
    assert found.keys() == wanted.keys()
    assert_equal(found, {**wanted, "text_encoder": without_projection(wanted["text_encoder"])})


@pytest.mark.parametrize("layout", ["ldm", "diffusers", "ldm in vae."])
def test_a_vae_alone(tiny, name, folder, wanted, tmp_path, layout):
    state = dict(wanted["vae"]) if layout == "diffusers" else vae_in_ldm(folder)
    state = under("vae.", state) if layout.endswith("vae.") else state
    vae = diffusion.describe_vae(written(tmp_path / "ae.safetensors", state))
    assert vae.space == FAMILIES[FAMILY[name]].space
    assert_equal(loaded_networks(vae), wanted)


def test_text_encoders_alone(tiny, name, folder, wanted, tmp_path):
    files = []
    for part, kind in FAMILIES[FAMILY[name]].text_encoders.items():
        start = "model." if kind.startswith("qwen") else ""
        files.append(written(tmp_path / f"{kind}.safetensors", under(start, wanted[part])))
        if not kind.startswith("clip"):  # a CLIP of this width is of no kind
            assert recognise(files[-1]).encoder == kind
    if len(files) == 1:
        encoder = diffusion.describe_text_encoder(*files, family=FAMILY[name])
        assert_equal(loaded_networks(encoder), wanted)


@pytest.mark.parametrize(
    "form", ["weight_scale", "weight_scale by rows", "scale_weight", "comfy_quant"]
)
@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_scaled_weights_are_multiplied(tiny, name, wanted, tmp_path, form, layout):
    """In float32, as diffusers' loaders do not."""
    made = original(wanted["transformer"]) if layout == "original" else wanted["transformer"]
    small = scaled_fp8(made, form)
    one = written(tmp_path / "small.safetensors", small)
    other = written(tmp_path / "large.safetensors", unscaled(small))
    assert recognise(one).quantisation == "scaled fp8"
    found, same = (loaded_networks(diffusion.describe_denoiser(each)) for each in (one, other))
    assert_equal(found, {"transformer": same["transformer"].state_dict()})


def test_scaled_text_encoders_are_multiplied_too(tiny, name, wanted, tmp_path):
    for part, kind in FAMILIES[FAMILY[name]].text_encoders.items():
        small = scaled_fp8(wanted[part], "scale_weight")
        files = [
            written(tmp_path / f"{kind} {each}.safetensors", state)
            for each, state in (("small", small), ("large", unscaled(small)))
        ]
        weights = (Weights(str(file), "", "", part) for file in files)
        one, other = (loaded_networks(TextEncoderPart(kind, each))[part] for each in weights)
        for key, tensor in whole_state(one).items():
            assert torch.equal(tensor, other.state_dict()[key]), key


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.bfloat16, torch.float16])
def test_plain_casts_are_exact(tiny, name, wanted, tmp_path, dtype):
    state = {n: t.to(dtype) for n, t in original(wanted["transformer"]).items()}
    file = written(tmp_path / "cast.safetensors", state)
    assert recognise(file).quantisation == ("fp8" if dtype.itemsize == 1 else "")
    network = loaded_networks(diffusion.describe_denoiser(file))["transformer"]
    for key, tensor in original(whole_state(network)).items():
        assert torch.equal(tensor, state[key].float()), key


def test_a_pruned_model_has_as_many_blocks_as_its_file(tiny, name, wanted, tmp_path):
    state = original(wanted["transformer"])
    starts = ("single_blocks.0.", "layers.0.", "blocks.0.", "transformer_blocks.0.")
    extra = {
        n.replace("blocks.0.", "blocks.2.").replace("layers.0.", "layers.2."): t
        for n, t in state.items()
        if n.startswith((*starts, "joint_blocks.0."))
    }
    file = written(tmp_path / "deep.safetensors", {**state, **extra})
    depth = sum(1 for n in build(diffusion.describe_denoiser(file)).state_dict())
    assert depth > len(wanted["transformer"])


def test_marks_without_scales_are_refused(tiny, name, wanted, tmp_path):
    small = scaled_fp8(original(wanted["transformer"]), "scale_weight")
    lost = {n: t for n, t in small.items() if not n.endswith("scale_weight")}
    with pytest.raises(LoadingError, match="without their scales"):
        diffusion.describe_denoiser(written(tmp_path / "lost.safetensors", lost))


@pytest.mark.parametrize(
    ("said", "dtype", "label"),
    [
        ("nvfp4", torch.uint8, "nvfp4"),
        ("mxfp8", torch.float8_e4m3fn, "mxfp8"),
    ],
)
def test_quantised_forms_are_refused_by_name(tiny, name, wanted, tmp_path, said, dtype, label):
    """By metadata where it says so, by the weights' type, and at the latest when they are read."""
    small = scaled_fp8(original(wanted["transformer"]), "comfy_quant")
    mark = torch.tensor(list(json.dumps({"format": said}).encode()), dtype=torch.uint8)
    made = {n: mark.clone() if n.endswith("comfy_quant") else t for n, t in small.items()}
    file = written(tmp_path / "late.safetensors", made)
    with pytest.raises(LoadingError, match=said):
        loaded_networks(diffusion.describe_denoiser(file))
    layers = {n.removesuffix(".comfy_quant"): {"format": said} for n in made if "comfy" in n}
    told = {"_quantization_metadata": json.dumps({"layers": layers})}
    file = written(tmp_path / "told.safetensors", made, metadata=told)
    with pytest.raises(LoadingError, match=label):
        diffusion.describe_denoiser(file)
    if dtype.itemsize == 1 and not dtype.is_floating_point:
        typed = {n: t.to(dtype) if f"{n[:-7]}.comfy_quant" in made else t for n, t in made.items()}
        with pytest.raises(LoadingError, match=label):
            diffusion.describe_denoiser(written(tmp_path / "typed.safetensors", typed))


def test_a_folder_in_shards(name, folder, wanted, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "sharded")
    one = copy / "transformer" / "diffusion_pytorch_model.safetensors"
    state = load_file(one)
    one.unlink()
    names = sorted(state)
    halves = {"a": names[::2], "b": names[1::2]}
    for half, keys in halves.items():
        written(one.parent / f"{half}.safetensors", {key: state[key] for key in keys})
    places = {key: f"{half}.safetensors" for half, keys in halves.items() for key in keys}
    index = one.with_suffix(".safetensors.index.json")
    index.write_text(json.dumps({"weight_map": places}))
    assert recognise(copy).family == recognise(folder).family
    assert_equal(loaded_networks(diffusion.describe(copy).model), wanted)
    shard = one.parent / "b.safetensors"
    shard.write_bytes(shard.read_bytes()[:-8])
    with pytest.raises(ModelFileError, match="is cut short"):
        diffusion.describe(copy)
    shard.unlink()
    with pytest.raises(ModelFileError, match="which is not there"):
        diffusion.describe(copy)
