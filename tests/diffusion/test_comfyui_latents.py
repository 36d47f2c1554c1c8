"""Latents that ComfyUI 0.3.64 computed on the CPU in float32 with a random SD 1.5 checkpoint.

Anyone can write the checkpoint again: each tensor is seeded by its name. It takes 2 GB on disk
and 4 GB of memory, so this is for `make test-all`.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from tiny_layouts import ldm_names, ldm_shape
from transformers import CLIPTextConfig, CLIPTextModel

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.formats.comfyui.sampling_names import SAMPLERS
from nodeforge.settings import shipped
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from nodeforge.values.setting_names import COMFYUI

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array_")]

LATENTS = load_file(Path(__file__).parent / "data" / "comfyui_latents.safetensors")
"""By ``sampler.scheduler``: 8 × 8 cells in ComfyUI's unscaled latent space, 6 steps, cfg 5, seed
123."""
SCALE = 0.18215
STOCHASTIC = {"euler_ancestral", "dpmpp_2m_sde"}
CONFIGS = shipped("resources") / "configs" / "sd15"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The file, without position ids, which are not read."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(CONFIGS / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(CONFIGS / "vae"))
        text = CLIPTextModel(CLIPTextConfig.from_pretrained(CONFIGS / "text_encoder"))
    tensors = {}
    for part, network in (("unet", unet), ("vae", vae), ("text_encoder", text)):
        shapes = {name: tuple(value.shape) for name, value in network.named_parameters()}
        for ours, name in ldm_names(part, network).items():
            tensors[name] = _random(name, ldm_shape(name, shapes[ours]))
    path = tmp_path_factory.mktemp("comfyui") / "random.safetensors"
    save_file(tensors, path)
    yield diffusion.describe(path)
    path.unlink()


def _random(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    if len(shape) < 2:
        return ((1.0 if name.endswith("weight") else 0.0) + 0.05 * noise).half()
    return (noise * (0.02 if "embedding" in name else 1 / math.sqrt(math.prod(shape[1:])))).half()


@pytest.mark.parametrize("key", LATENTS)
def test_a_latent_is_comfyui_s(checkpoint, residency, key):
    """§4: to 1e-4 of its norm, to 1e-3 where noise is drawn in the steps."""
    sampler, scheduler = key.split(".")
    with residency.use(checkpoint.text_encoder) as encoder:
        positive = diffusion.encode_prompt(encoder, "a (red:1.3) fox in the (snow)")
        negative = diffusion.encode_prompt(encoder, "text, watermark")
    task = Denoising(
        checkpoint.model,
        positive,
        Sampler(SAMPLERS[sampler], convention=COMFYUI),
        Schedule(scheduler, 6),
        Guidance(5.0),
        negative,
        noise=Noise(123, 64, 64),
    )
    made = diffusion.denoise(diffusion.LocalHost(residency), task).samples / SCALE
    away = (made - LATENTS[key]).norm() / LATENTS[key].norm()
    assert float(away) < (1e-3 if sampler in STOCHASTIC else 1e-4)
