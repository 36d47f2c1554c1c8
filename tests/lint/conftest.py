"""A folder of models: real names and shapes, no numbers."""

import gzip
import json
import math
from pathlib import Path

import pytest

from nodeforge.models import ModelFolders
from nodeforge.settings import Settings

NAMES = Path(__file__).parent.parent / "models" / "data" / "names.json.gz"


def safetensors(path: Path, shapes) -> None:
    """A sparse file in half precision."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + at)


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> ModelFolders:
    """``sd15``, ``small`` (of the family nano), ``sdxl``, ``flux``, ``cut``, ``sub/other``.

    Also the VAE ``vae``, the LoRA ``style``, the ControlNet ``edges``, the embedding ``mood``,
    the text encoders ``clip_l`` and ``clip_g``.
    """
    home = tmp_path_factory.mktemp("home")
    names = json.loads(gzip.decompress(NAMES.read_bytes()))
    folder = home / "models" / "checkpoints"
    safetensors(folder / "sd15.safetensors", names["sd15_ldm"])
    safetensors(folder / "sub" / "other.safetensors", names["sd15_ldm"])
    safetensors(folder / "sdxl.safetensors", names["sdxl_unet_ldm"])
    safetensors(folder / "flux.safetensors", {"double_blocks.0.img_attn.qkv.weight": (12, 4)})
    safetensors(folder / "just_vae.safetensors", names["sd15_vae"])
    safetensors(home / "models" / "vaes" / "vae.safetensors", names["sd15_vae"])
    down = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
    safetensors(home / "models" / "loras" / "style.safetensors", {down: (4, 768)})
    safetensors(home / "models" / "controlnets" / "edges.safetensors", names["sd15_controlnet"])
    safetensors(home / "models" / "embeddings" / "mood.safetensors", {"emb_params": (2, 768)})
    words = "text_model.embeddings.token_embedding.weight"
    for name, width in (("clip_l", 768), ("clip_g", 1280)):
        file = home / "models" / "text_encoders" / f"{name}.safetensors"
        safetensors(file, {words: (49408, width)})
    (folder / "cut.safetensors").write_bytes(b"\xff\x01\0\0\0\0\0\0{")
    index = {"_class_name": "StableDiffusionPipeline", "_nodeforge_family": "nano"}
    index["unet"] = ["diffusers", "UNet2DConditionModel"]
    small = folder / "small"
    safetensors(small / "unet" / "diffusion_pytorch_model.safetensors", names["sd15_unet"])
    (small / "unet" / "config.json").write_text('{"_class_name": "UNet2DConditionModel"}')
    (small / "model_index.json").write_text(json.dumps(index))
    (small / "scheduler").mkdir()
    (small / "scheduler" / "scheduler_config.json").write_text("{}")
    return ModelFolders(Settings(home=home))
