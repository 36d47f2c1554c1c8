"""Every family from a single file, a denoiser alone and a VAE alone, in each precision."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import LoadingError
from nodeforge.diffusion.denoising.preview import factors_of
from nodeforge.models import FAMILIES, SPACES
from tests.support.family_configs import use_configs
from tests.support.loaded_networks import loaded_networks

CPU = torch.device("cpu")
NEW = ("sd21", "sdxl", "sdxl_refiner")


@pytest.fixture(scope="module", params=NEW)
def family(request):
    return request.param


@pytest.fixture(scope="module")
def folder(family, tmp_path_factory):
    return tiny_models.write_folder(tmp_path_factory.mktemp(family), family=family)


@pytest.fixture
def tiny(monkeypatch, family, folder):
    """The family's offline configuration is the tiny model's, so that its single files load."""
    use_configs(monkeypatch, family, folder)


@pytest.fixture(scope="module")
def wanted(folder):
    return {part: network.state_dict() for part, network in tiny_models.networks(folder).items()}


def assert_equal(found, wanted, dtype=torch.float32):
    for part, network in found.items():
        assert network.state_dict().keys() == wanted[part].keys()
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, wanted[part][name].to(dtype).float()), f"{part} {name}"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_single_file_gives_every_weight(tiny, family, folder, wanted, tmp_path, dtype):
    file = tiny_models.write_single_file(folder, tmp_path / "m.safetensors", dtype)
    described = diffusion.describe(file)
    assert {described.model.weights.family, described.text_encoder.family} == {family}
    found = loaded_networks(*described)
    assert found.keys() == wanted.keys()
    assert_equal(found, wanted, dtype)


@pytest.mark.parametrize("layout", ["ldm", "ldm without prefix", "diffusers", "folder"])
def test_a_denoiser_alone(tiny, family, folder, wanted, tmp_path, layout):
    path = tmp_path / "unet.safetensors"
    if layout == "folder":
        path = shutil.copytree(folder / "unet", tmp_path / "unet")
    elif layout == "diffusers":
        shutil.copy(folder / "unet" / "diffusion_pytorch_model.safetensors", path)
    else:
        tiny_models.write_single_file(folder, path, parts=["unet"])
        if layout == "ldm without prefix":
            prefix = "model.diffusion_model."
            save_file({n.removeprefix(prefix): t for n, t in load_file(path).items()}, path)
    model = diffusion.describe_denoiser(path)
    assert model.weights.family == family
    assert diffusion.facts(model).scheduler["beta_end"] == 0.012
    assert_equal(loaded_networks(model), wanted)


def test_a_vae_alone(tiny, family, folder, wanted, tmp_path):
    space = FAMILIES[family].space
    file = tiny_models.write_single_file(folder, tmp_path / "vae.safetensors", parts=["vae"])
    vae = diffusion.describe_vae(file, space)
    assert vae.space == space
    assert_equal(loaded_networks(vae), wanted)
    with pytest.raises(LoadingError, match=r"is for Stable Diffusion 1 and 2, SDXL, not for nano"):
        diffusion.describe_vae(file, "nano")


def test_the_text_encoders_of_a_whole_model(tiny, family, folder, wanted):
    encoder = diffusion.describe_text_encoder(folder)
    found = loaded_networks(encoder)
    assert list(found) == list(FAMILIES[family].text_encoders)
    assert_equal(found, wanted)


def test_a_folder_without_a_text_encoder_is_refused(family, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "part")
    shutil.rmtree(copy / [*FAMILIES[family].text_encoders][-1])
    with pytest.raises(LoadingError, match="it has no text encoder"):
        diffusion.describe(copy)


OF_PICTURES = [space for space in SPACES.values() if "H" in space.layout]
UNFITTED = {"qwen21", "qwen_layered"}
"""Nothing was at hand to fit them to: three of their channels are shown."""


@pytest.mark.parametrize("space", OF_PICTURES, ids=lambda space: space.name)
def test_every_latent_space_of_pictures_has_a_preview(space):
    factors = factors_of(space.name, space.channels)
    assert factors.matrix.shape == (space.channels, 3)
    plain = torch.equal(factors.matrix, torch.eye(space.channels, 3) * 0.25)
    assert plain == (space.name in UNFITTED)


def test_a_vae_used_for_two_spaces_is_scaled_for_each(tmp_path):
    folder = tiny_models.write_folder(tmp_path / "sd15")
    file = tmp_path / "vae.safetensors"
    shutil.copy(folder / "vae" / "diffusion_pytorch_model.safetensors", file)
    residency = diffusion.Residency("cpu")
    factors = {}
    for name in ("sd", "sdxl"):
        config = json.loads((folder / "vae" / "config.json").read_text())
        config["scaling_factor"] = SPACES[name].factor
        root = shutil.copytree(folder, tmp_path / f"config_{name}")
        (root / "vae" / "config.json").write_text(json.dumps(config))
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(SPACES, name, replace(SPACES[name], config=str(root / "vae")))
            with residency.use(diffusion.describe_vae(file, name)) as vae:
                factors[name] = vae.network.config["scaling_factor"]
    assert factors == {"sd": 0.18215, "sdxl": 0.13025}
