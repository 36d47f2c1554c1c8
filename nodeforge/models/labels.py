"""What a model is, in words that people read."""

from __future__ import annotations

from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.families import FAMILIES

_KINDS: dict[str, str] = {
    Kind.CHECKPOINT: "a model",
    Kind.UNET: "a denoiser",
    Kind.VAE: "a VAE",
    Kind.TEXT_ENCODER: "a text encoder",
    Kind.CONTROLNET: "a ControlNet",
    Kind.LORA: "a LoRA",
    Kind.EMBEDDING: "an embedding",
    Kind.T2I_ADAPTER: "a T2I-Adapter",
    Kind.IP_ADAPTER: "an IP-Adapter",
    Kind.IMAGE_ENCODER: "an image encoder",
}


def kind_with_article(kind: str) -> str:
    """What people call a kind of model: ``a LoRA``, ``an embedding``."""
    return _KINDS.get(kind, "a model")


def kind_label(kind: str) -> str:
    """The same without an article: ``LoRA``."""
    return kind_with_article(kind).partition(" ")[2]


def family_label(info: ModelInfo) -> str:
    """``Flux.2 klein 4B``; empty where its family is not known."""
    family = FAMILIES.get(info.family or "")
    return family.label if family else ""


def variant_label(info: ModelInfo) -> str:
    """Its variant and what told it, ``Turbo, by its name``; empty for a plain model."""
    family = FAMILIES.get(info.family or "")
    name = family.variant if family and info.variant not in family.variants else info.variant
    if family is None or name not in family.variants:
        return ""
    label = family.variants[name].label or name.capitalize()
    return f"{label}, {info.variant_source or 'as most are'}"
