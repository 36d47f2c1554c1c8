"""What a model is, in words that people read."""

from __future__ import annotations

from nodeforge.models.detection.info import ModelInfo
from nodeforge.models.families import FAMILIES


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
