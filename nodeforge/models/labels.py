"""What a model is, in words that people read."""

from __future__ import annotations

from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.detection.upscalers import UPSCALERS
from nodeforge.models.families import FAMILIES, Family

EDIT_MODELS = (
    "Choose an edit model, such as InstructPix2Pix, Flux.1 Kontext, Flux.2, Flux.3 klein, "
    "Qwen-Image Edit or Qwen-Image 2.1, or nano-edit, which is here. Where its file's name does "
    "not say so, choose its variant in 'Load model'."
)

LAYER_MODELS = (
    "Choose Qwen-Image Layered, which takes a picture apart: "
    "huggingface.co/Qwen/Qwen-Image-Layered, or its files for ComfyUI."
)

NO_PICTURE_TO_EDIT = (
    "this model edits a picture, and the prompt shows it none.",
    "Encode instruction and picture with 'Encode instruction', or choose a model that is no edit "
    "model.",
)
"""What is wrong with a prompt without references for a model that reads one, and the way out."""

NO_PICTURE_TO_TAKE_APART = (
    "this model takes a picture apart into layers, and the prompt shows it none.",
    "Encode a description and the picture with 'Encode instruction'.",
)
"""The same for a model that takes a picture apart."""

IDLE_IMAGE_GUIDANCE = (
    "image guidance acts on no picture: this model reads none beside the latent.",
    "Take it away, or choose an InstructPix2Pix model.",
)
"""What is wrong with image guidance for a model that reads no picture, and the way out."""

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
    Kind.UPSCALER: "an upscaler",
    Kind.MOTION_MODULE: "a motion module",
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


def upscaler_label(info: ModelInfo) -> str:
    """An upscaler's architecture, and its scale where that is known: ``ESRGAN ×4``."""
    if info.architecture not in UPSCALERS:
        return ""
    label = UPSCALERS[info.architecture].label
    return f"{label} ×{info.scale}" if info.scale else label


def variant_label(info: ModelInfo) -> str:
    """Its variant and what told it, ``Turbo, by its name``; empty for a plain model."""
    family = FAMILIES.get(info.family or "")
    name = family.variant if family and info.variant not in family.variants else info.variant
    if family is None or name not in family.variants:
        return ""
    label = family.variants[name].label or name.capitalize()
    return f"{label}, {info.variant_source or 'as most are'}"


def references_taken(info: ModelInfo) -> int:
    """How many reference pictures a model takes, to edit by; 0 for what is no edit model."""
    family = FAMILIES.get(info.family or "")
    is_model = info.kind in (Kind.CHECKPOINT, Kind.UNET)
    return family.references_of(info.variant or family.variant) if family and is_model else 0


def too_many_references(family: Family, variant: str | None, count: int) -> tuple[str, str] | None:
    """What is wrong with `count` reference pictures for a model, and the way out; None is nothing.

    Args:
        family: The model's.
        variant: The model's, empty for a plain one; None where only the family is known, of
            which the one that takes the most then counts.
        count: Pictures that it is shown.
    """
    most = family.most_references if variant is None else family.references_of(variant)
    if count <= most:
        return None
    model = f"{family.label} ({variant})" if variant else family.label
    if not most:
        return f"{model} takes no reference pictures.", EDIT_MODELS
    pictures = "reference picture" if most == 1 else "reference pictures"
    return f"{model} takes {most} {pictures}, these are {count}.", "Leave some out."
