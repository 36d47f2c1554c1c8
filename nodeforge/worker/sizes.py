"""The model files of a plan, and the memory that their networks need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nodeforge.diffusion import (
    Residency,
    describe,
    describe_controlnet,
    describe_denoiser,
    describe_text_encoder,
    describe_upscaler,
    describe_vae,
)
from nodeforge.engine.planning.plan import Plan
from nodeforge.errors import NodeForgeError
from nodeforge.models import without_reading
from nodeforge.spec import ModelFileWidget
from nodeforge.values import Recipe, TextEncoder


def model_files(plan: Plan) -> dict[str, list[str]]:
    """Node to the kind and the path of the model file that it reads."""
    return {
        node.id: [port.widget.kind, str(path)]
        for node in plan.nodes.values()
        for port in node.spec.inputs
        if isinstance(port.widget, ModelFileWidget)
        and isinstance(path := node.literals.get(port.name), Path)
    }


def memory_needs(files: dict[str, list[str]], residency: Residency) -> dict[str, Any]:
    """Node to what each network of its model needs: ``{"unet": {"weights": .., "working": ..}}``.

    Args:
        files: `model_files` of a plan.
        residency: Whose device and policy count.

    Returns:
        Bytes; `nodeforge.diffusion.memory.requirements.MemoryNeeds`. Models that cannot be read
        are left out: the run itself says what is wrong with them.
    """
    found: dict[str, Any] = {}
    for node, (kind, path) in files.items():
        with contextlib.suppress(NodeForgeError), without_reading():
            found[node] = {
                _part(recipe): asdict(residency.memory_needs(recipe))
                for recipe in _recipes(kind, Path(path))
            }
    return {node: networks for node, networks in found.items() if networks}


def _part(recipe: Recipe) -> str:
    return "text_encoder" if isinstance(recipe, TextEncoder) else recipe.weights.part


def _recipes(kind: str, path: Path) -> Iterator[Recipe]:
    match kind:
        case "checkpoint":
            yield from describe(path)
        case "unet":
            yield describe_denoiser(path)
        case "text_encoder":
            yield describe_text_encoder(path)
        case "vae":
            yield describe_vae(path)
        case "controlnet":
            yield describe_controlnet(path)
        case "upscaler":
            yield describe_upscaler(path)
