"""Recipes of a family's networks, and the networks that recipes load, each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from nodeforge import diffusion
from nodeforge.diffusion.networks.packed_layers import PackedLayer
from nodeforge.models import FAMILIES, TEXT_ENCODER_KINDS
from nodeforge.values import (
    ControlNet,
    Model,
    NetworkRecipe,
    Recipe,
    TextEncoder,
    TextEncoderPart,
    Vae,
    Weights,
)


def single_recipes(*recipes: Recipe) -> Iterator[NetworkRecipe]:
    """The recipes of single networks that `recipes` are made of."""
    for recipe in recipes:
        yield from recipe.parts if isinstance(recipe, TextEncoder) else (recipe,)


def family_recipes(family: str, folder: str) -> dict[str, NetworkRecipe]:
    """A recipe of each kind of network of a family, by its folder in `folder`."""
    facts = FAMILIES[family]

    def weights(part: str) -> Weights:
        return Weights(folder, "", family, part)

    return {
        facts.denoiser: Model(weights(facts.denoiser)),
        "vae": Vae(weights("vae"), facts.space),
        "controlnet": ControlNet(weights("controlnet")),
        **{n: TextEncoderPart(kind, weights(n)) for n, kind in facts.text_encoders.items()},
    }


def real_size_recipes(family: str) -> dict[str, NetworkRecipe]:
    """The same of the configurations that ship, which have no weights."""
    facts = FAMILIES[family]

    def weights(folder: Path) -> Weights:
        return Weights(str(folder), "", family, folder.name)

    kinds = {n: TEXT_ENCODER_KINDS[kind] for n, kind in facts.text_encoders.items()}
    return {
        facts.denoiser: Model(weights(facts.denoiser_config())),
        "vae": Vae(weights(facts.latent_space.config_folder), facts.space),
        **{n: TextEncoderPart(k.name, weights(k.config_folder)) for n, k in kinds.items()},
    }


def loaded_networks(*recipes: Recipe) -> dict[str, Any]:
    """Networks on the CPU, by the names of their folders."""
    device = torch.device("cpu")
    return {
        each.weights.part: diffusion.load(each, device).network for each in single_recipes(*recipes)
    }


def packed_layers(network: torch.nn.Module) -> dict[str, PackedLayer]:
    """The layers of a loaded network whose weights stay as their file has them, by name."""
    return {n: m for n, m in network.named_modules() if isinstance(m, PackedLayer)}


def whole_state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights of a network as it computes with them: packed ones are made whole."""
    packed = {f"{n}.weight": each.whole_weight() for n, each in packed_layers(network).items()}
    return network.state_dict() | packed
