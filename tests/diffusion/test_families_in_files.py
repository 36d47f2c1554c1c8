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
from nodeforge.diffusion.networks.building import parts_of
from nodeforge.models import FAMILIES

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
    for name in (family, FAMILIES[family].latent_family):
        monkeypatch.setitem(FAMILIES, name, replace(FAMILIES[name], config=str(folder)))


@pytest.fixture(scope="module")
def wanted(folder):
    return {part: network.state_dict() for part, network in tiny_models.networks(folder).items()}


def loaded(*recipes):
    """The networks of recipes, by the names of their folders."""
    return {
        part: network
        for recipe in recipes
        for part, _, network in parts_of(diffusion.load(recipe, CPU).network, recipe.weights.part)
    }


def assert_equal(found, wanted, dtype=torch.float32):
    for part, network in found.items():
        assert network.state_dict().keys() == wanted[part].keys()
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, wanted[part][name].to(dtype).float()), f"{part} {name}"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_single_file_gives_every_weight(tiny, family, folder, wanted, tmp_path, dtype):
    file = tiny_models.write_single_file(folder, tmp_path / "m.safetensors", dtype)
    described = diffusion.describe(file)
    assert {recipe.weights.family for recipe in described} == {family}
    found = loaded(*described)
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
    assert_equal(loaded(model), wanted)


def test_a_vae_alone(tiny, family, folder, wanted, tmp_path):
    latents = FAMILIES[family].latent_family
    file = tiny_models.write_single_file(folder, tmp_path / "vae.safetensors", parts=["vae"])
    vae = diffusion.describe_vae(file, latents)
    assert vae.weights.family == latents
    assert_equal(loaded(vae), wanted)
    with pytest.raises(LoadingError, match=r"is for SD 1\.5, SDXL, not for nano"):
        diffusion.describe_vae(file, "nano")


def test_the_text_encoders_of_a_whole_model(tiny, family, folder, wanted):
    encoder = diffusion.describe_text_encoder(folder)
    found = loaded(encoder)
    assert list(found) == list(FAMILIES[family].text_encoders)
    assert_equal(found, wanted)


def test_a_folder_without_a_text_encoder_is_refused(family, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "part")
    shutil.rmtree(copy / FAMILIES[family].text_encoders[-1])
    with pytest.raises(LoadingError, match="it has no text encoder"):
        diffusion.describe(copy)


@pytest.mark.parametrize("name", FAMILIES)
def test_latents_of_every_family_have_a_preview(name):
    facts = FAMILIES[name]
    factors = factors_of(facts.latent_family, facts.latent_channels)
    assert factors.matrix.shape == (facts.latent_channels, 3)
    assert not torch.equal(factors.matrix, torch.eye(facts.latent_channels, 3) * 0.25)


def test_a_vae_used_for_two_families_is_scaled_for_each(tmp_path):
    folder = tiny_models.write_folder(tmp_path / "sd15")
    file = tmp_path / "vae.safetensors"
    shutil.copy(folder / "vae" / "diffusion_pytorch_model.safetensors", file)
    residency = diffusion.Residency("cpu")
    factors = {}
    for name in ("sd15", "sdxl"):
        config = json.loads((folder / "vae" / "config.json").read_text())
        config["scaling_factor"] = FAMILIES[name].scaling_factor
        root = shutil.copytree(folder, tmp_path / f"config_{name}")
        (root / "vae" / "config.json").write_text(json.dumps(config))
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(FAMILIES, name, replace(FAMILIES[name], config=str(root)))
            with residency.use(diffusion.describe_vae(file, name)) as vae:
                factors[name] = vae.network.config["scaling_factor"]
    assert factors == {"sd15": 0.18215, "sdxl": 0.13025}
