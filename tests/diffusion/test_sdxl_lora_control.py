"""LoRAs and ControlNets over SDXL: diffusers' pipelines to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models
import torch
from diffusers import (
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image as Pillow
from safetensors.torch import load_file, save_file

from nodeforge import diffusion
from nodeforge.diffusion import BlockWeightError, Denoising, parse_blocks
from nodeforge.diffusion.adapters.lora_blocks import block_weight, ldm_modules
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule
from support.model_files import real_names

SEED, SIZE = 5, 64


@pytest.fixture(scope="module")
def peft_file(sdxl_folder, tmp_path_factory):
    return tiny_models.write_lora(sdxl_folder, tmp_path_factory.mktemp("lora") / "peft.safetensors")


@pytest.fixture(scope="module")
def kohya_file(peft_file, sdxl_folder):
    """The same LoRA as Kohya's trainer writes it: LDM's names, and lora_te1, lora_te2."""
    modules = [n for n, _ in tiny_models.networks(sdxl_folder)["unet"].named_modules()]
    ldm = ldm_modules(modules, layers=1)
    made = {}
    for name, tensor in load_file(peft_file).items():
        part, rest = name.split(".", 1)
        module, side = rest.rsplit(".lora_", 1)
        place = {
            "unet": f"lora_unet_{ldm.get(module, '')}",
            "text_encoder": f"lora_te1_text_model_{module.removeprefix('text_model.')}",
            "text_encoder_2": f"lora_te2_text_model_{module.removeprefix('text_model.')}",
        }[part]
        kind = "down" if side.startswith("A") else "up"
        made[f"{place.replace('.', '_')}.lora_{kind}.weight"] = tensor
        made[f"{place.replace('.', '_')}.alpha"] = torch.tensor(2.0)
    file = peft_file.with_name("kohya.safetensors")
    save_file(made, file)
    return file


def with_lora(described, file, weight, blocks=""):
    lora = diffusion.describe_lora(file, "sdxl")
    return (
        diffusion.with_lora(described.model, lora, weight, parse_blocks(blocks)),
        diffusion.with_lora(described.text_encoder, lora, weight),
    )


def pictured(host, model, encoder, steer=lambda prompt: prompt):
    with host.use(encoder) as loaded:
        family = diffusion.behaviour(loaded.family)
        prompts = [family.encode(loaded, text) for text in ("a red cat", "blurry")]
    task = Denoising(
        model, steer(prompts[0]), Sampler("euler"), Schedule("normal", 3), Guidance(6.0),
        prompts[1], noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    return diffusion.denoise(host, task).samples


def asked(**more):
    return {
        "prompt": "a red cat", "negative_prompt": "blurry", "num_inference_steps": 3,
        "guidance_scale": 6.0, "height": SIZE, "width": SIZE, "output_type": "latent",
        "generator": torch.Generator().manual_seed(SEED), **more,
    }  # fmt: skip


def difference(ours, other):
    return float((ours - other).abs().max())


def test_a_lora_over_the_denoiser_and_both_text_encoders(host, sdxl, sdxl_folder, peft_file):
    made = StableDiffusionXLPipeline.from_pretrained(sdxl_folder, add_watermarker=False)
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    made.load_lora_weights(str(peft_file.parent), weight_name=peft_file.name, adapter_name="one")
    made.set_adapters(["one"], [0.7])
    theirs = made(**asked()).images
    ours = pictured(host, *with_lora(sdxl, peft_file, 0.7))
    assert difference(ours, theirs) == 0.0
    assert difference(ours, pictured(host, sdxl.model, sdxl.text_encoder)) > 1e-3


def test_kohyas_names_of_blocks_and_encoders_do_what_pefts_do(host, sdxl, peft_file, kohya_file):
    assert any("input_blocks_3_1" in name for name in load_file(kohya_file))
    ours = pictured(host, *with_lora(sdxl, kohya_file, 0.7))
    assert difference(ours, pictured(host, *with_lora(sdxl, peft_file, 0.7))) == 0.0


def test_weights_of_blocks(host, sdxl, peft_file):
    base = pictured(host, sdxl.model, sdxl.text_encoder)

    def over(blocks):
        model, _ = with_lora(sdxl, peft_file, 1.0, blocks)
        return pictured(host, model, sdxl.text_encoder)

    assert difference(over("down=0, mid=0, up=0"), base) == 0.0
    assert difference(over("down=1, mid=1, up=1"), over("")) == 0.0
    assert len({over(text).sum().item() for text in ("down=0", "mid=0", "up=0", "")}) == 4


def test_the_longest_name_of_a_block_decides():
    blocks = parse_blocks("up=0.5, up.1=0.25")
    assert block_weight(blocks, "up_blocks.1.attentions.0.proj_in") == 0.25
    assert block_weight(blocks, "up_blocks.11.attentions.0.proj_in") == 0.5
    assert block_weight(blocks, "mid_block.attentions.0.proj_in") == 1.0


@pytest.mark.parametrize("text", ["left=1", "up", "up=much", "=1"])
def test_what_is_no_weight_of_a_block_is_refused(text):
    with pytest.raises(BlockWeightError, match="no weight of a block"):
        parse_blocks(text)


def test_the_real_sdxl_has_all_its_modules_under_ldms_names():
    names = real_names()
    modules = sorted({n.rpartition(".")[0] for n in names["sdxl_unet"] if "norm" not in n})
    prefix = "model.diffusion_model."
    there = {n.rpartition(".")[0].removeprefix(prefix) for n in names["sdxl_unet_ldm"]}
    ldm = ldm_modules(modules, layers=2)
    assert ldm.keys() == set(modules)
    assert set(ldm.values()) <= there
    assert len(set(ldm.values())) == len(ldm)


def test_a_controlnet(host, sdxl, sdxl_folder, tmp_path):
    net = tiny_models.write_controlnet(sdxl_folder, tmp_path / "net")
    rng = np.random.default_rng(1)
    hint = Pillow.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    parts = StableDiffusionXLPipeline.from_pretrained(sdxl_folder).components
    made = StableDiffusionXLControlNetPipeline(
        **parts, controlnet=ControlNetModel.from_pretrained(net), add_watermarker=False
    )
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    theirs = made(**asked(image=hint, controlnet_conditioning_scale=0.8)).images
    recipe = diffusion.describe_controlnet(net)
    pixels = Image(torch.from_numpy(np.asarray(hint, np.float32) / 255)[None])
    ours = pictured(
        host, sdxl.model, sdxl.text_encoder,
        lambda prompt: diffusion.add_control(prompt, recipe, pixels, 0.8),
    )  # fmt: skip
    assert recipe.weights.family == "sdxl"
    assert difference(ours, theirs) == 0.0
