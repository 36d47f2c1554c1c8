"""Small random adapters for the models of `tiny_models`, as people share them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import T2IAdapter, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection


def image_encoder(seed: int = 8) -> CLIPVisionModelWithProjection:
    """CLIP's image encoder for pictures of 32 pixels: 16 places, 24 numbers for the whole."""
    torch.manual_seed(seed)
    config = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        projection_dim=24,
        num_hidden_layers=3,
        num_attention_heads=16,
        image_size=32,
        patch_size=8,
        hidden_act="gelu",
    )
    return CLIPVisionModelWithProjection(config).eval()


def write_ip_adapter(folder: Path, file: Path, seed: int = 9, *, kind: str = "plain") -> Path:
    """Write a random IP-Adapter for the denoiser of a diffusers folder and `image_encoder`.

    Args:
        folder: What `tiny_models.write_folder` wrote.
        file: Where to.
        seed: Of its numbers.
        kind: Of the projection: ``plain``; ``plus`` and ``full``, which read every place; or
            ``face id`` and ``face id plus``, which read what another network says of a face.
    """
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    width = unet.config["cross_attention_dim"]
    tensors = _PROJECTIONS[kind](width)
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            attention: Any = unet.get_submodule(name.removesuffix(".processor"))
            for kind in ("to_k_ip", "to_v_ip"):
                tensors[f"ip_adapter.{number}.{kind}.weight"] = (
                    torch.randn(attention.inner_dim, width) * 0.1
                )
    save_file(tensors, file)
    return file


def write_t2i_adapter(
    folder: Path, target: Path, seed: int = 10, channels: int = 3, *, xl: bool = False
) -> Path:
    """Write a random T2I-Adapter, as diffusers does, for the denoiser of a diffusers folder."""
    torch.manual_seed(seed)
    sides = json.loads((folder / "unet" / "config.json").read_text())["block_out_channels"]
    kind = (16, "full_adapter_xl") if xl else (8, "full_adapter")
    made = T2IAdapter(channels, list(sides), 1, *kind)
    made.save_pretrained(target)
    return target


def write_embedding(file: Path, *widths: int, seed: int = 11) -> Path:
    """Write a random textual inversion of two words, as A1111 and Kohya do."""
    torch.manual_seed(seed)
    names = ("clip_l", "clip_g") if len(widths) > 1 else ("emb_params",)
    pairs = zip(names, widths, strict=True)
    save_file({name: torch.randn(2, width) * 0.3 for name, width in pairs}, file)
    return file


def _projection(width: int) -> dict[str, Tensor]:
    return {
        "image_proj.proj.weight": torch.randn(4 * width, 24) * 0.3,
        "image_proj.proj.bias": torch.randn(4 * width) * 0.3,
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }


def _full(width: int) -> dict[str, Tensor]:
    """As the full-face adapter has it: every place through two layers."""
    shapes = {"proj.0": (32, 32), "proj.2": (width, 32), "proj.3": (width,)}
    made = {f"image_proj.{n}.weight": torch.randn(shape) * 0.1 for n, shape in shapes.items()}
    return made | {f"image_proj.{n}.bias": torch.zeros(s[0]) for n, s in shapes.items()}


def _face_id(width: int) -> dict[str, Tensor]:
    shapes = {"proj.0": (64, 32), "proj.2": (4 * width, 64), "norm": (width,)}
    made = {f"image_proj.{n}.weight": torch.randn(shape) * 0.1 for n, shape in shapes.items()}
    return made | {f"image_proj.{n}.bias": torch.zeros(s[0]) for n, s in shapes.items()}


def _face_id_plus(width: int) -> dict[str, Tensor]:
    inner = {n.split(".", 1)[1]: t for n, t in _resampler(width).items()}
    del inner["latents"]
    made = {f"image_proj.perceiver_resampler.{n}": t for n, t in inner.items()}
    shapes = {"proj.0": (64, 32), "proj.2": (4 * 128, 64), "norm": (128,)}
    made |= {f"image_proj.{n}.weight": torch.randn(shape) * 0.1 for n, shape in shapes.items()}
    return made | {f"image_proj.{n}.bias": torch.zeros(s[0]) for n, s in shapes.items()}


def _resampler(width: int) -> dict[str, Tensor]:
    """Four layers, of two heads, that read what the encoder says of every place."""
    inner = 128
    shapes: dict[str, tuple[int, ...]] = {
        "latents": (1, 3, inner),
        "proj_in.weight": (inner, 32),
        "proj_in.bias": (inner,),
        "proj_out.weight": (width, inner),
        "proj_out.bias": (width,),
        "norm_out.weight": (width,),
        "norm_out.bias": (width,),
    }
    for layer in (f"layers.{number}" for number in range(4)):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"{layer}.{norm}.{kind}": (inner,) for kind in ("weight", "bias")}
        shapes[f"{layer}.0.to_q.weight"] = shapes[f"{layer}.0.to_out.weight"] = (inner, inner)
        shapes[f"{layer}.0.to_kv.weight"] = (2 * inner, inner)
        shapes[f"{layer}.1.1.weight"] = (4 * inner, inner)
        shapes[f"{layer}.1.3.weight"] = (inner, 4 * inner)
    return {f"image_proj.{name}": torch.randn(shape) * 0.1 for name, shape in shapes.items()}


_PROJECTIONS = {
    "plain": _projection,
    "plus": _resampler,
    "full": _full,
    "face id": _face_id,
    "face id plus": _face_id_plus,
}
