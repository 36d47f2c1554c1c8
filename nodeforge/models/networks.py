"""Tells which networks a file holds from the names and shapes of its tensors alone.

Names decide the kind; the width of the text that cross-attention reads decides the family.
The names are those of the LDM repositories, of diffusers, and of LoRA trainers (kohya, peft,
LyCORIS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nodeforge.models.info import Kind, Layout

Shapes = Mapping[str, tuple[int, ...]]

_VAE = ("first_stage_model.", "vae.", "")
_TEXT = (
    "cond_stage_model.transformer.text_model.",
    "cond_stage_model.transformer.",
    "conditioner.embedders.0.transformer.text_model.",
    "text_model.",
    "",
)
# Looked for in all names at once, each name between two newlines.
_LORA = (
    *(".lora_", "_lora.", ".lora.", "\nlora_unet_", "\nlora_te", "\nlora_transformer_"),
    *("\nlycoris_", ".hada_w", ".lokr_w"),
)
_FOREIGN = (
    (("double_blocks.", "double_blocks_", "single_transformer_blocks"), "Flux"),
    (("joint_blocks", "joint_transformer_blocks"), "SD 3"),
    (("\nconditioner.embedders.", "label_emb.0.", "\nadd_embedding.", "\nlora_te2_"), "SDXL"),
    (("\ncond_stage_model.model.",), "SD 2"),
    (("\nlora_controlnet\n",), "Control-LoRA"),
    (("\nimage_proj.", "\nip_adapter."), "IP-Adapter"),
)
_BASES = {
    "sd_v1": "sd15",
    "stable-diffusion-v1": "sd15",
    "sd_v2": "SD 2",
    "stable-diffusion-v2": "SD 2",
    "sdxl": "SDXL",
    "stable-diffusion-xl": "SDXL",
    "sd3": "SD 3",
    "stable-diffusion-3": "SD 3",
    "flux": "Flux",
}
_LORA_DOWN = r"(?:lora_A|lora_down|lora\.down|hada_w1_b)"
_LORA_TEXT = re.compile(rf"attn2[._](?:processor[._])?to_k(?:_lora\.down|.*[._]{_LORA_DOWN})")
_LORA_ENCODER = re.compile(rf"self_attn[._]q_proj[._](?:.*[._])?{_LORA_DOWN}")


@dataclass(frozen=True)
class Found:
    """What a set of tensors turned out to be.

    Args:
        width: Of the text it reads or makes.
        base: Family or label that its metadata names, for where the shapes leave it open.
        foreign: Label of an architecture that no family here covers; empty where none is.
    """

    kind: Kind
    layout: Layout
    parts: tuple[str, ...] = ()
    width: int | None = None
    in_channels: int | None = None
    latent_channels: int | None = None
    latent_scale: int | None = None
    scaling_factor: float | None = None
    base: str = ""
    foreign: str = ""


def find_networks(shapes: Shapes, metadata: Mapping[str, str]) -> Found:
    """What a file with tensors of these names and shapes holds."""
    names = "\n" + "\n".join(shapes) + "\n"
    looks = (_controlnet, _checkpoint, _diffusers_unet, _vae, _text, _embedding)
    found = _lora(shapes) if _has(names, _LORA) else None
    found = found or next((made for look in looks if (made := look(shapes))), None)
    found = found or Found(Kind.UNKNOWN, Layout.OTHER)
    foreign = next((label for marks, label in _FOREIGN if _has(names, marks)), found.foreign)
    return replace(found, base=_base(metadata), foreign=foreign)


def _has(names: str, marks: Iterable[str]) -> bool:
    return any(mark in names for mark in marks)


def _base(metadata: Mapping[str, str]) -> str:
    told = metadata.get("modelspec.architecture") or metadata.get("ss_base_model_version") or ""
    return next((base for start, base in _BASES.items() if told.lower().startswith(start)), "")


def _prefix(shapes: Shapes, prefixes: Iterable[str], name: str) -> str | None:
    """The first of `prefixes` under which there is a tensor `name`."""
    return next((prefix for prefix in prefixes if prefix + name in shapes), None)


def _side(shapes: Shapes, name: str, axis: int) -> int | None:
    shape = shapes.get(name, ())
    return shape[axis] if axis < len(shape) else None


def _text_width(shapes: Shapes, prefix: str = "") -> int | None:
    """Inputs of the first cross-attention's keys."""
    for name in shapes:
        if name.endswith("attn2.to_k.weight") and name.startswith(prefix):
            return _side(shapes, name, 1)
    return None


def _controlnet(shapes: Shapes) -> Found | None:
    diffusers = "controlnet_cond_embedding.conv_in.weight" in shapes
    prefix = _prefix(shapes, ("control_model.", ""), "input_hint_block.0.weight")
    if not diffusers and prefix is None and "lora_controlnet" not in shapes:
        return None
    layout = Layout.DIFFUSERS if diffusers else Layout.LDM
    return Found(Kind.CONTROLNET, layout, ("controlnet",), _text_width(shapes, prefix or ""))


def _checkpoint(shapes: Shapes) -> Found | None:
    """A denoiser in LDM layout, alone or with its text encoder and VAE."""
    first = "input_blocks.0.0.weight"
    prefix = _prefix(shapes, ("model.diffusion_model.", ""), first)
    if prefix is None:
        return None
    vae, text = _vae(shapes), _text(shapes)
    others = [part for part, there in (("text_encoder", text), ("vae", vae)) if there]
    return Found(
        kind=Kind.CHECKPOINT if others else Kind.UNET,
        layout=Layout.LDM,
        parts=("unet", *others),
        width=_text_width(shapes, prefix),
        in_channels=_side(shapes, prefix + first, 1),
        latent_channels=_side(shapes, f"{prefix}out.2.weight", 0),
        latent_scale=vae.latent_scale if vae else None,
    )


def _diffusers_unet(shapes: Shapes) -> Found | None:
    if not {"conv_in.weight", "time_embedding.linear_1.weight", "conv_out.weight"} <= shapes.keys():
        return None
    return Found(
        kind=Kind.UNET,
        layout=Layout.DIFFUSERS,
        parts=("unet",),
        width=_text_width(shapes),
        in_channels=_side(shapes, "conv_in.weight", 1),
        latent_channels=_side(shapes, "conv_out.weight", 0),
    )


def _vae(shapes: Shapes) -> Found | None:
    prefix = _prefix(shapes, _VAE, "decoder.conv_in.weight")
    if prefix is None:
        return None
    ldm = f"{prefix}decoder.up.0.block.0.conv1.weight" in shapes
    up = "up.{}.upsample.conv.weight" if ldm else "up_blocks.{}.upsamplers.0.conv.weight"
    doublings = sum(f"{prefix}decoder.{up.format(block)}" in shapes for block in range(12))
    return Found(
        kind=Kind.VAE,
        layout=Layout.LDM if ldm else Layout.DIFFUSERS,
        parts=("vae",),
        latent_channels=_side(shapes, f"{prefix}decoder.conv_in.weight", 1),
        latent_scale=2**doublings,
    )


def _text(shapes: Shapes) -> Found | None:
    """A CLIP text encoder, known by its table of word vectors."""
    table = "embeddings.token_embedding.weight"
    prefix = _prefix(shapes, _TEXT, table)
    if prefix is None:
        return None
    layout = Layout.DIFFUSERS if prefix in ("", "text_model.") else Layout.LDM
    width = _side(shapes, prefix + table, 1)
    return Found(Kind.TEXT_ENCODER, layout, ("text_encoder",), width)


def _embedding(shapes: Shapes) -> Found | None:
    """A textual inversion: one or two small tables of vectors."""
    if not 1 <= len(shapes) <= 2 or any(len(shape) not in (1, 2) for shape in shapes.values()):
        return None
    if any(len(shape) == 2 and shape[0] > 1024 for shape in shapes.values()):
        return None
    foreign = "SDXL" if {"clip_l", "clip_g"} <= shapes.keys() else ""
    width = next(iter(shapes.values()))[-1]
    return Found(Kind.EMBEDDING, Layout.OTHER, ("embedding",), width, foreign=foreign)


def _lora(shapes: Shapes) -> Found:
    """Its width is that of the denoiser it is for, else of the text encoder it is for."""
    kohya = any(name.startswith(("lora_unet_", "lora_te")) for name in shapes)
    ends = (
        name for pattern in (_LORA_TEXT, _LORA_ENCODER) for name in shapes if pattern.search(name)
    )
    name = next(ends, "")
    layout = Layout.LDM if kohya else Layout.DIFFUSERS
    return Found(Kind.LORA, layout, ("lora",), _side(shapes, name, 1))
