"""What the models of a plan need, for whoever wants to know before they are loaded."""

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
    describe_vae,
)
from nodeforge.engine.plan import Plan
from nodeforge.errors import NodeForgeError
from nodeforge.models import without_reading
from nodeforge.spec import ModelFileWidget
from nodeforge.values import Recipe


def models_of(plan: Plan, residency: Residency) -> dict[str, Any]:
    """Node to what each network of its model needs: ``{"unet": {"weights": .., "working": ..}}``.

    Bytes; `nodeforge.diffusion.memory.requirements.Needs`. Models that cannot be read are left
    out: the run itself says what is wrong with them.
    """
    found: dict[str, Any] = {}
    for node in plan.nodes.values():
        for port in node.spec.inputs:
            path = node.literals.get(port.name)
            if not isinstance(port.widget, ModelFileWidget) or not isinstance(path, Path):
                continue
            with contextlib.suppress(NodeForgeError), without_reading():
                found[node.id] = {
                    recipe.weights.part: asdict(residency.memory_needs(recipe))
                    for recipe in _recipes(port.widget.kind, path)
                }
    return {node: networks for node, networks in found.items() if networks}


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
