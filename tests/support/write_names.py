"""``python -m tests.support.write_names``: names and shapes of real models, for `real_names`.

From our configs where there is a family, else from the sizes that diffusers' classes have by
themselves, which are those of the first published model of their kind. Made on torch's meta
device: nothing is downloaded, nothing allocated.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from nodeforge.diffusion.networks.building import build
from nodeforge.models import FAMILIES
from nodeforge.values import ControlNet, Model, TextEncoder, Vae, Weights
from tests import tiny_models
from tests.support.model_files import NAMES

OURS = {"unet": Model, "vae": Vae, "text_encoder": TextEncoder, "controlnet": ControlNet}
FOREIGN: dict[str, Any] = {
    "flux": lambda: diffusers.FluxTransformer2DModel(guidance_embeds=True),
    "sd3": lambda: diffusers.SD3Transformer2DModel(),
    "pixart": lambda: diffusers.PixArtTransformer2DModel(caption_channels=4096),
    "sana": lambda: diffusers.SanaTransformer2DModel(),
    "auraflow": lambda: diffusers.AuraFlowTransformer2DModel(),
    "hunyuan_dit": lambda: diffusers.HunyuanDiT2DModel(
        in_channels=4, sample_size=128, patch_size=2
    ),
    "hunyuan_video": lambda: diffusers.HunyuanVideoTransformer3DModel(),
    "qwen_image": lambda: diffusers.QwenImageTransformer2DModel(),
    "wan": lambda: diffusers.WanTransformer3DModel(),
    "ltx": lambda: diffusers.LTXVideoTransformer3DModel(),
    "lumina2": lambda: diffusers.Lumina2Transformer2DModel(),
    "cascade": lambda: diffusers.StableCascadeUNet(
        clip_text_in_channels=1280, clip_text_pooled_in_channels=1280, clip_image_in_channels=768
    ),
    "svd": lambda: diffusers.UNetSpatioTemporalConditionModel(),
    "animatediff": lambda: diffusers.MotionAdapter(),
    "t2i_adapter": lambda: diffusers.T2IAdapter(),
    "t2i_adapter_xl": lambda: diffusers.T2IAdapter(
        adapter_type="full_adapter_xl", downscale_factor=16
    ),
    "t5": lambda: transformers.T5EncoderModel(transformers.T5Config()),
    "clip_vision": lambda: transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig()
    ),
}


def main() -> None:
    names: dict[str, dict[str, list[int]]] = {}
    for family, facts in FAMILIES.items():
        if facts.config.startswith("configs/"):
            names |= dict(_ours(family, str(facts.config_folder)))
    text = _text_ldm(names["sd15_text_encoder"])
    names["sd15_ldm"] = {**names["sd15_unet_ldm"], **text, **names["sd15_vae_ldm"]}
    with torch.device("meta"):
        for name, make in FOREIGN.items():
            names[name] = _shapes(make())
    NAMES.write_bytes(gzip.compress(json.dumps(names).encode(), mtime=0))


def _ours(family: str, folder: str) -> Any:
    for part, recipe in OURS.items():
        if part == "controlnet" and "controlnet" not in _parts(folder):
            continue
        network: Any = build(recipe(Weights(folder, "", family, part)))
        if part == "text_encoder" and family.startswith("sdxl"):
            yield f"{family}_text_encoder_2", _shapes(network["text_encoder_2"])
            continue
        yield f"{family}_{part}", _shapes(network)
        if part in ("unet", "vae"):
            yield f"{family}_{part}_ldm", _ldm(part, network)


def _text_ldm(shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    prefix = "cond_stage_model.transformer.text_model."
    return {prefix + name.removeprefix("text_model."): shape for name, shape in shapes.items()}


def _parts(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]


def _shapes(network: Any) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def _ldm(part: str, network: Any) -> dict[str, list[int]]:
    state = network.state_dict()
    named = tiny_models.ldm_names(part, network)
    return {
        ldm: list(tiny_models.ldm_shape(ldm, tuple(state[name].shape)))
        for name, ldm in named.items()
    }


if __name__ == "__main__":
    main()
