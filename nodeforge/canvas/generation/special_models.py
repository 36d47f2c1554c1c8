"""Intents that want a model made for them: to edit by instruction, to take a picture apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nodeforge.canvas.generation.intents import Intent
from nodeforge.canvas.generation.native_size import NativeSize
from nodeforge.models import EDIT_MODELS, FAMILIES, LAYER_MODELS


@dataclass(frozen=True)
class Special:
    """What an intent wants.

    Args:
        field: ``node.port`` of its shipped workflow that names the model.
        does: What other models do not do.
        models: Which do.
    """

    field: str
    does: str
    models: str


SPECIAL: Mapping[Intent, Special] = {
    Intent.EDIT: Special("edit_model.file", "edit by instruction", EDIT_MODELS),
    Intent.SEPARATE: Special("layers_model.file", "take pictures apart into layers", LAYER_MODELS),
}


def special_intent(model: NativeSize) -> Intent | None:
    """What a model alone is made for; None for one that draws by a prompt."""
    if model.takes_apart:
        return Intent.SEPARATE
    return Intent.EDIT if model.references else None


def lacking(intent: Intent, model: NativeSize) -> str:
    """What is said where an intent wants another model than is chosen; empty where it does not."""
    special = SPECIAL.get(intent)
    if special is None or special_intent(model) is intent:
        return ""
    family = FAMILIES.get(model.family)
    return (f"{family.label} does not {special.does}. " if family else "") + special.models
