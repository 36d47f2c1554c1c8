"""ControlNets for SDXL with less attention than its denoiser has, as single files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from PIL import Image as Pillow
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LoadingError
from nodeforge.models import FAMILIES, recognise
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule

SEED, SIZE = 5, 64
NONE = {"down_block_types": ["DownBlock2D", "DownBlock2D"], "mid_block_type": "UNetMidBlock2D"}
SMALL = {
    "no attention": NONE,
    "one layer": {"transformer_layers_per_block": [1, 1]},
    "in the middle only": {"down_block_types": NONE["down_block_types"]},
    "on the way down only": {"mid_block_type": "UNetMidBlock2D"},
    "all": {},
}


@pytest.fixture(scope="module")
def whole(sdxl_folder):
    """The configuration of a ControlNet as deep as the denoiser, told as much as the real one."""
    unet = UNet2DConditionModel.from_pretrained(sdxl_folder / "unet")
    made = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 4, 4))
    told = {"addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816}
    return {**made.config, **told}


@pytest.fixture
def tiny(monkeypatch, whole, sdxl_folder, tmp_path):
    """SDXL's offline configuration is the tiny model's, so that its single files load."""
    folder = shutil.copytree(sdxl_folder, tmp_path / "config")
    ControlNetModel.from_config(whole).save_config(folder / "controlnet")
    monkeypatch.setitem(FAMILIES, "sdxl", replace(FAMILIES["sdxl"], config=str(folder)))


def written(config, target):
    torch.manual_seed(3)
    made = ControlNetModel.from_config(config)
    for name, weight in made.named_parameters():
        if "controlnet_" in name:  # zero at first, so that an untrained one changes nothing
            torch.nn.init.normal_(weight, std=0.2)
    made.save_pretrained(target)
    return target


@pytest.mark.parametrize("kind", SMALL)
def test_a_small_one_equals_the_pipeline(tiny, host, sdxl, sdxl_folder, whole, tmp_path, kind):
    folder = written({**whole, **SMALL[kind]}, tmp_path / "net")
    file = tmp_path / "small.safetensors"
    shutil.copy(folder / "diffusion_pytorch_model.safetensors", file)
    recipe = diffusion.describe_controlnet(file)
    assert recipe.weights.family == "sdxl"
    rng = np.random.default_rng(1)
    picture = Pillow.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    difference = ours(host, sdxl, recipe, picture) - theirs(sdxl_folder, folder, picture)
    assert float(difference.abs().max()) == 0.0


def ours(host, sdxl, recipe, picture):
    with host.use(sdxl.text_encoder) as loaded:
        prompts = [diffusion.behaviour("sdxl").encode(loaded, t) for t in ("a red cat", "blurry")]
    pixels = Image(torch.from_numpy(np.asarray(picture, np.float32) / 255)[None])
    task = Denoising(
        sdxl.model, diffusion.add_control(prompts[0], recipe, pixels, 0.8), Sampler("euler"),
        Schedule("normal", 2), Guidance(6.0), prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    return diffusion.denoise(host, task).samples


def theirs(sdxl_folder, folder, picture):
    made = StableDiffusionXLControlNetPipeline(
        **StableDiffusionXLPipeline.from_pretrained(sdxl_folder).components,
        controlnet=ControlNetModel.from_pretrained(folder), add_watermarker=False,
    )  # fmt: skip
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    return made(
        "a red cat", negative_prompt="blurry", image=picture, controlnet_conditioning_scale=0.8,
        num_inference_steps=2, guidance_scale=6.0, height=SIZE, width=SIZE, output_type="latent",
        generator=torch.Generator().manual_seed(SEED),
    ).images  # fmt: skip


def test_one_that_has_fewer_places_than_the_denoiser_is_refused(tiny, whole, tmp_path):
    folder = written(whole, tmp_path / "net")
    tensors = load_file(folder / "diffusion_pytorch_model.safetensors")
    file = tmp_path / "fewer.safetensors"
    save_file({n: t for n, t in tensors.items() if "controlnet_down_blocks.3" not in n}, file)
    with pytest.raises(LoadingError, match="adds to 3 places of the denoiser; one of SDXL has 4"):
        diffusion.load(diffusion.describe_controlnet(file), torch.device("cpu"))


def test_what_it_is_told_tells_the_family_of_one_without_attention(whole, tmp_path):
    folder = written({**whole, **NONE}, tmp_path / "net")
    assert json.loads((folder / "config.json").read_text())["mid_block_type"] == "UNetMidBlock2D"
    assert recognise(folder).family == "sdxl"
