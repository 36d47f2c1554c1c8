"""Networks from folders and single files: the same weights as diffusers loads, offline."""

from __future__ import annotations

import json
import shutil

import pytest
import tiny_models
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from nodeforge import diffusion
from nodeforge.diffusion import LoadingError, Residency
from nodeforge.errors import Cancelled, NodeForgeError
from nodeforge.models import recognise
from tests.support.family_configs import use_configs
from tests.support.loaded_networks import loaded_networks

CPU = torch.device("cpu")
CLASSES = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}


@pytest.fixture
def tiny_family(monkeypatch, sd_folder):
    """SD 1.5's offline configuration is the tiny model's, so that its single files load."""
    use_configs(monkeypatch, "sd15", sd_folder)


def networks(described):
    return loaded_networks(*described)


def assert_equal_weights(found, folder, dtype=torch.float32):
    for part, network in found.items():
        wanted = CLASSES[part].from_pretrained(folder / part).state_dict()
        assert network.state_dict().keys() == wanted.keys()
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, wanted[name].to(dtype).float()), name


def test_a_folder_gives_the_weights_that_diffusers_loads(sd, sd_folder):
    assert_equal_weights(networks(sd), sd_folder)


def test_a_single_file_gives_every_weight(tiny_family, sd_folder, tmp_path):
    file = tiny_models.write_single_file(sd_folder, tmp_path / "sd.safetensors")
    assert_equal_weights(networks(diffusion.describe(file)), sd_folder)


def test_half_precision_is_widened(tiny_family, sd_folder, tmp_path):
    file = tiny_models.write_single_file(sd_folder, tmp_path / "sd.safetensors", torch.float16)
    assert_equal_weights(networks(diffusion.describe(file)), sd_folder, torch.float16)


def test_an_inpainting_file_has_nine_channels(tiny_family, inpainting_folder, tmp_path):
    file = tiny_models.write_single_file(inpainting_folder, tmp_path / "inpainting.safetensors")
    model = diffusion.describe(file).model
    assert diffusion.facts(model).in_channels == 9
    assert_equal_weights({"unet": diffusion.load(model, CPU).network}, inpainting_folder)


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", ""])
def test_a_denoiser_of_lcm_in_ldm_layout_is_told_the_guidance_scale(
    tiny_family, sd_folder, tmp_path, prefix
):
    folder = shutil.copytree(sd_folder, tmp_path / "lcm")
    config = UNet2DConditionModel.load_config(folder / "unet")
    made = UNet2DConditionModel.from_config({**config, "time_cond_proj_dim": 64})
    made.save_pretrained(folder / "unet")
    file = tiny_models.write_single_file(folder, tmp_path / "lcm.safetensors", parts=["unet"])
    save_file(
        {n.replace("model.diffusion_model.", prefix): t for n, t in load_file(file).items()}, file
    )
    model = diffusion.describe_denoiser(file)
    assert diffusion.facts(model).guidance_width == 64
    assert_equal_weights({"unet": diffusion.load(model, CPU).network}, folder)


@pytest.mark.parametrize("layout", ["ldm", "diffusers", "folder"])
def test_a_vae_alone(tiny_family, sd_folder, tmp_path, layout):
    if layout == "ldm":
        path = tiny_models.write_single_file(sd_folder, tmp_path / "vae.safetensors", parts=["vae"])
    elif layout == "diffusers":
        path = tmp_path / "vae.safetensors"
        shutil.copy(sd_folder / "vae" / "diffusion_pytorch_model.safetensors", path)
    else:
        path = shutil.copytree(sd_folder / "vae", tmp_path / "vae")
    assert_equal_weights(networks([diffusion.describe_vae(path)]), sd_folder)


def test_a_whole_model_gives_its_vae(sd_folder):
    assert_equal_weights(networks([diffusion.describe_vae(sd_folder)]), sd_folder)


def test_old_names_of_vae_attention_are_known(sd_folder, tmp_path):
    folder = shutil.copytree(sd_folder, tmp_path / "old")
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = load_file(file)
    for new, name in old.items():
        tensors = {key.replace(f".{new}.", f".{name}."): t for key, t in tensors.items()}
    save_file(tensors, file)
    vae = diffusion.describe(folder).vae
    assert_equal_weights({"vae": diffusion.load(vae, CPU).network}, sd_folder)


def test_a_missing_weight_is_named(sd_folder, tmp_path):
    folder = shutil.copytree(sd_folder, tmp_path / "broken")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors["conv_in.bias"]
    save_file(tensors, file)
    with pytest.raises(LoadingError, match=r"1 weights of the unet are missing, as 'conv_in.bias'"):
        diffusion.load(diffusion.describe(folder).model, CPU)


def test_a_weight_of_another_shape_is_named(sd_folder, tmp_path):
    folder = shutil.copytree(sd_folder, tmp_path / "other")
    config = folder / "unet" / "config.json"
    told = {**json.loads(config.read_text()), "block_out_channels": [8, 32]}
    config.write_text(json.dumps(told))
    with pytest.raises(LoadingError, match="has shape"):
        diffusion.load(diffusion.describe(folder).model, CPU)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_folder_without_a_part_is_refused(sd_folder, tmp_path, part):
    folder = shutil.copytree(sd_folder, tmp_path / "part")
    shutil.rmtree(folder / part)
    with pytest.raises(NodeForgeError) as caught:
        everything(folder)
    assert caught.value.place


def everything(folder):
    described = diffusion.describe(folder)
    networks(described)
    return diffusion.facts(described.model)


def test_a_file_cut_short_is_refused(sd_folder, tmp_path):
    file = tiny_models.write_single_file(sd_folder, tmp_path / "sd.safetensors")
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(NodeForgeError, match="cut short"):
        diffusion.describe(file)


def test_a_pickle_is_refused(tmp_path):
    file = tmp_path / "model.ckpt"
    torch.save({"state_dict": {"a": torch.zeros(2)}}, file)
    with pytest.raises(NodeForgeError, match="pickle"):
        diffusion.describe(file)


def test_loading_can_be_cancelled_between_tensors(sd):
    read = 0

    def check():
        nonlocal read
        read += 1
        if read == 10:
            raise Cancelled

    residency = Residency("cpu")
    with pytest.raises(Cancelled), residency.use(sd.model, check):
        pass
    assert read == 10
    assert residency.bytes_held == 0


def test_recipes_of_one_network_share_it(sd):
    residency = Residency("cpu")
    with residency.use(sd.vae) as first:
        pass
    with residency.use(diffusion.describe(sd_path(sd)).vae) as second:
        assert second is first


def sd_path(sd):
    from pathlib import Path

    return Path(sd.model.weights.path)


def test_the_least_recently_used_goes_first(sd):
    everything = sum(
        p.numel() * 4 for network in networks(sd).values() for p in network.parameters()
    )
    residency = Residency("cpu", bytes_kept=everything - 1)
    for recipe in (sd.text_encoder, sd.vae, sd.model):
        with residency.use(recipe) as last:
            pass
    assert residency.bytes_held < everything
    with residency.use(sd.model) as again:
        assert again is last
    residency.free()
    assert residency.bytes_held == 0


def test_a_network_in_use_is_never_dropped(sd):
    residency = Residency("cpu", bytes_kept=0)
    with residency.use(sd.vae) as held:
        residency.free()
        with residency.use(sd.vae) as again:
            assert again is held
    assert residency.bytes_held == 0


def test_a_model_that_has_moved_is_found_by_its_fingerprint(sd_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))
    folder = shutil.copytree(sd_folder, tmp_path / "here")
    vae = diffusion.describe(folder).vae
    moved = folder.rename(tmp_path / "there")
    with pytest.raises(LoadingError, match="no longer there"), Residency("cpu").use(vae):
        pass
    diffusion.describe(moved)
    with Residency("cpu").use(vae) as loaded:
        assert loaded.scale == 8


def test_a_model_runs_as_the_variant_that_its_name_says(sd_folder, tmp_path):
    """What a run takes by itself is what the inspector and the linter say of the file."""
    file = tiny_models.write_single_file(sd_folder, tmp_path / "sd15-hyper.safetensors")
    model = diffusion.describe(file).model
    assert model.variant == recognise(file).variant == "hyper"
    assert diffusion.facts(model).variant == "hyper"
    assert diffusion.describe(file, variant="lcm").model.variant == "lcm"
