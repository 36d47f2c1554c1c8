"""The models that the examples of the linter's rules name: real names and shapes, no numbers."""

import gzip
import json
import math
from collections.abc import Mapping
from pathlib import Path

import PIL.Image

from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from support.measurements import keep_nano

NAMES = Path(__file__).parent.parent / "models" / "data" / "names.json.gz"

_CHECKPOINTS = {
    "sd15": "sd15_ldm",
    "sd15_lcm": "sd15_ldm",
    "sdxl": "sdxl_ldm",
    "sdxl_turbo": "sdxl_ldm",
    "sdxl_lightning_4step": "sdxl_ldm",
}
_DENOISERS = {
    "flux1-dev": "flux1_original",
    "flux1-schnell": "flux1_original",
    "z_image": "z_image_original",
    "z_image_turbo": "z_image_original",
    "wan2.2_t2v_high_noise": "wan",
    "wan2.2_t2v_low_noise": "wan",
}
_TEXT_ENCODERS = {"t5_xxl": "t5_xxl", "qwen3_4b": "qwen3_4b", "umt5_xxl": "umt5"}
_LORAS: dict[str, dict[str, str]] = {
    "ink": {},
    "watercolour": {"modelspec.trigger_phrase": "wtrclr style"},
    "strong": {"ss_network_alpha": "16", "ss_network_dim": "8"},
    "sdxl_lightning_8step_lora": {},
    "lcm_lora_sdxl": {},
}
_GUIDANCE = "guidance_in."
_BIG_G = {"token_embedding.weight": (49408, 1280), "text_projection": (1280, 1280)}
"""Of OpenCLIP's bigG, by which it is known."""


def safetensors(
    path: Path, shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str] | None = None
) -> None:
    """A sparse file in half precision."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + at)


def make_pictures(folder: Path) -> None:
    """Write the pictures that the examples name: a photograph's stand-in, and an opaque mask."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("picture.png", "second.png"):
        PIL.Image.new("RGB", (1024, 1024), (90, 120, 160)).save(folder / name)
    mask = PIL.Image.new("RGB", (1024, 1024))
    mask.paste((255, 255, 255), (256, 256, 768, 768))
    mask.save(folder / "mask.png")


def whole_sdxl(names: Mapping[str, dict]) -> dict:
    """A checkpoint's tensors, as Stability AI names them."""
    first, second = (
        "conditioner.embedders.0.transformer.text_model",
        "conditioner.embedders.1.model",
    )
    return {
        **names["sdxl_unet_ldm"],
        **names["sdxl_vae_ldm"],
        **{f"{first}.{name}": shape for name, shape in names["sdxl_text_encoder"].items()},
        **{f"{second}.{name}": shape for name, shape in _BIG_G.items()},
    }


def motion_module(channels: tuple[int, ...], frames: int = 32) -> dict[str, tuple[int, ...]]:
    """What tells a motion module, as AnimateDiff's authors name it, with this many frames."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block, width in enumerate(channels):
        head = f"down_blocks.{block}.motion_modules.0.temporal_transformer"
        shapes[f"{head}.proj_in.weight"] = (width, width)
        places = f"{head}.transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
        shapes[places] = (1, frames, width)
    return shapes


def make_models(home: Path) -> ModelFolders:
    """Write the models under `home`, and return the folders."""
    names = json.loads(gzip.decompress(NAMES.read_bytes()))
    names["sdxl_ldm"] = whole_sdxl(names)
    models = home / "models"
    for name, kind in _CHECKPOINTS.items():
        safetensors(models / "checkpoints" / f"{name}.safetensors", names[kind])
    inputs = "model.diffusion_model.input_blocks.0.0.weight"
    inpainting = {**names["sd15_ldm"], inputs: (320, 9, 3, 3)}
    safetensors(models / "checkpoints" / "sd15_inpainting.safetensors", inpainting)
    refiner = {**names["sdxl_refiner_unet_ldm"], **names["sdxl_refiner_vae_ldm"]}
    refiner |= {f"conditioner.embedders.0.model.{k}": s for k, s in _BIG_G.items()}
    safetensors(models / "checkpoints" / "sdxl_refiner.safetensors", refiner)
    unet = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight"
    text = "lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight"
    for name, metadata in _LORAS.items():
        safetensors(models / "loras" / f"{name}.safetensors", {unet: (8, 2048)}, metadata)
    both = {unet: (8, 2048), text: (8, 768)}
    safetensors(models / "loras" / "with_words.safetensors", both)
    for name in ("depth_sdxl", "canny_sdxl"):
        safetensors(models / "controlnets" / f"{name}.safetensors", names["sdxl_controlnet"])
    vectors = {"clip_l": (2, 768), "clip_g": (2, 1280)}
    safetensors(models / "embeddings" / "easynegative.safetensors", vectors)
    adapter = {"image_proj.proj.weight": (3072, 1024), "ip_adapter.1.to_k_ip.weight": (320, 768)}
    safetensors(models / "ip_adapters" / "ip_adapter_sd15.safetensors", adapter)
    vit_h = {
        "vision_model.embeddings.class_embedding": (1280,),
        "vision_model.embeddings.patch_embedding.weight": (1280, 3, 14, 14),
        "visual_projection.weight": (1024, 1280),
    }
    safetensors(models / "image_encoders" / "clip_vision_h.safetensors", vit_h)
    v = {"ss_v_parameterization": "True", "ss_zero_terminal_snr": "True"}
    safetensors(models / "checkpoints" / "sdxl_vpred.safetensors", names["sdxl_ldm"], v)
    for name, kind in _DENOISERS.items():
        schnell = name == "flux1-schnell"
        shapes = {k: s for k, s in names[kind].items() if not (schnell and k.startswith(_GUIDANCE))}
        safetensors(models / "unets" / f"{name}.safetensors", shapes)
    for name, kind in _TEXT_ENCODERS.items():
        safetensors(models / "text_encoders" / f"{name}.safetensors", names[kind])
    words = "text_model.embeddings.token_embedding.weight"
    safetensors(models / "text_encoders" / "clip_l.safetensors", {words: (49408, 768)})
    safetensors(models / "vaes" / "flux_vae.safetensors", names["flux_vae_ldm"])
    safetensors(models / "vaes" / "wan_2.1_vae.safetensors", names["wan_vae"])
    safetensors(models / "unets" / "wan21.safetensors", names["wan"])
    safetensors(
        models / "motion_modules" / "motion_v2.safetensors", motion_module((320, 640, 1280, 1280))
    )
    safetensors(models / "checkpoints" / "just_vae.safetensors", names["sd15_vae"])
    safetensors(models / "unets" / "flux2_klein_9b.safetensors", names["flux2_klein_9b_original"])
    safetensors(models / "unets" / "flux1-kontext.safetensors", names["flux1_original"])
    keep_nano(home)
    return ModelFolders(Settings(home=home))
