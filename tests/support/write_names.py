"""``python -m tests.support.write_names``: names and shapes of real models, for `real_names`.

From our configs where there is a family, else from the sizes that diffusers' classes have by
themselves, which are those of the first published model of their kind. Made on torch's meta
device: nothing is downloaded, nothing allocated.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from nodeforge.diffusion.networks.building import build
from nodeforge.models import FAMILIES
from nodeforge.values import Model, TextEncoderPart, Vae, Weights
from tests import tiny_models
from tests.support.loaded_networks import family_recipes
from tests.support.model_files import NAMES
from tests.tiny_originals import original, vae_in_wan

FOREIGN: dict[str, Any] = {
    "flux": lambda: diffusers.FluxTransformer2DModel(guidance_embeds=True),
    "pixart": lambda: diffusers.PixArtTransformer2DModel(caption_channels=4096),
    "sana": lambda: diffusers.SanaTransformer2DModel(),
    "auraflow": lambda: diffusers.AuraFlowTransformer2DModel(),
    "hunyuan_dit": lambda: diffusers.HunyuanDiT2DModel(
        in_channels=4, sample_size=128, patch_size=2
    ),
    "hunyuan_video": lambda: diffusers.HunyuanVideoTransformer3DModel(),
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


FIRST_BLOCKS: dict[str, Any] = {
    "wan_vace": lambda: diffusers.WanVACETransformer3DModel(vace_layers=[0, 5]),
    "ltx2": lambda: diffusers.LTX2VideoTransformer3DModel(),
    "wan_vae": lambda: diffusers.AutoencoderKLWan(),
    "umt5": lambda: transformers.UMT5EncoderModel(
        transformers.UMT5Config(vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_heads=64)
    ),
    "qwen25_vl": lambda: transformers.Qwen2_5_VLModel(transformers.Qwen2_5_VLConfig()),
}
"""Of these, the first two of each kind of block are enough."""


def main() -> None:
    names: dict[str, dict[str, list[int]]] = {}
    for family, facts in FAMILIES.items():
        if facts.signature is None and facts.config.startswith("configs/"):
            names |= dict(_ours(family, str(facts.config_folder)))
    text = _text_ldm(names["sd15_text_encoder"])
    names["sd15_ldm"] = {**names["sd15_unet_ldm"], **text, **names["sd15_vae_ldm"]}
    with torch.device("meta"):
        for name, make in FOREIGN.items():
            names[name] = _shapes(make())
        for name, make in FIRST_BLOCKS.items():
            names[name] = _first_blocks(_shapes(make()))
    names |= dict(_transformers())
    NAMES.write_bytes(gzip.compress(json.dumps(names).encode(), mtime=0))


def _transformers() -> Iterator[tuple[str, dict[str, list[int]]]]:
    """Denoisers in both layouts, the text encoders and VAEs that families with a signature use."""
    ours = {
        name: facts
        for name, facts in FAMILIES.items()
        if facts.signature and not (facts.sound or facts.video)
    }
    for family, facts in ours.items():
        network: Any = build(Model(Weights(str(facts.config_folder), "", family, facts.denoiser)))
        yield f"{family}_transformer", _shapes(network)
        theirs = original(network.state_dict())
        yield f"{family}_original", {name: list(tensor.shape) for name, tensor in theirs.items()}
    kinds = {kind for facts in ours.values() for kind in facts.text_encoders.values()}
    for kind in sorted(kinds - {"clip_l"}):
        yield kind, _shapes(build(TextEncoderPart(kind, Weights("none", "", "", "text_encoder"))))
    pictures = {f.space for f in ours.values() if f.latent_space.layout == "BCHW"}
    for space in sorted(pictures):
        vae: Any = build(Vae(Weights("none", "", "", "vae"), space))
        yield f"{space}_vae", _shapes(vae)
        if "z_dim" in vae.config:
            theirs = vae_in_wan(vae.state_dict(), vae.config["num_res_blocks"] + 1)
            yield f"{space}_vae_original", {name: list(t.shape) for name, t in theirs.items()}
            continue
        parts = {name: each for name, each in _shapes(vae).items() if not name.startswith("bn.")}
        named = {name: tiny_models.ldm_names("vae", vae)[name] for name in parts}
        yield (
            f"{space}_vae_ldm",
            {
                **{
                    named[n].removeprefix("first_stage_model."): shape for n, shape in parts.items()
                },
                **{n: shape for n, shape in _shapes(vae).items() if n.startswith("bn.")},
            },
        )


def _first_blocks(shapes: dict[str, list[int]]) -> dict[str, list[int]]:
    return {n: s for n, s in shapes.items() if not re.search(r"\.([2-9]|\d\d+)\.", n)}


def _ours(family: str, folder: str) -> Any:
    for part, recipe in family_recipes(family, folder).items():
        if part == "controlnet" and "controlnet" not in _parts(folder):
            continue
        network: Any = build(recipe)
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
