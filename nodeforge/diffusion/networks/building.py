"""Builds networks without weights from their configuration, and tokenizers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from nodeforge.diffusion.networks.t2i_adapter import build_t2i_adapter
from nodeforge.diffusion.weights.configs import (
    config_root,
    controlnet_config,
    lacks,
    part_config,
    unet_config,
)
from nodeforge.models import FAMILIES, VOCABULARY_KEY, read_config
from nodeforge.values import ControlNet, Model, Recipe, TextEncoder, Vae, Weights

_PROJECTING = "CLIPTextModelWithProjection"


def import_libraries() -> None:
    """Import the classes of diffusers and transformers that most runs need.

    They take seconds to import, so no module of ours imports them at its top: a process that
    only plans does without, and one that computes calls this while it has nothing else to do.
    """
    from transformers import CLIPTextModel, CLIPTokenizer  # noqa: F401


class TextEncoders(nn.ModuleDict):
    """The text encoders of a family that has other than one, by the names of their folders."""

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device


def build(recipe: Recipe) -> nn.Module:
    """The network of `recipe` without its weights: every parameter is on torch's meta device.

    Raises:
        LoadingError: its configuration is missing.
    """
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    weights = recipe.weights
    with torch.device("meta"):
        match recipe:
            case Model():
                return UNet2DConditionModel.from_config(unet_config(weights))  # pyright: ignore[reportReturnType]
            case TextEncoder():
                return _text_encoders(weights)
            case Vae():
                return AutoencoderKL.from_config(part_config(weights, "vae"))  # pyright: ignore[reportReturnType]
            case ControlNet() if weights.part == "t2i_adapter":
                return build_t2i_adapter(weights)
            case ControlNet():
                from diffusers.models.controlnets.controlnet import ControlNetModel

                return ControlNetModel.from_config(controlnet_config(weights))  # pyright: ignore[reportReturnType]
            case _:
                raise AssertionError(recipe)  # the others are made as they are read


def parts_of(network: nn.Module, part: str) -> Iterator[tuple[str, str, nn.Module]]:
    """Folder, prefix of the parameters and network of each network that `network` is made of."""
    if isinstance(network, TextEncoders):
        for name, inner in network.items():
            yield name, f"{name}.", inner
    else:
        yield part, "", network


def tokenizers(weights: Weights) -> list[Any]:
    """The tokenizer of each text encoder.

    Raises:
        LoadingError: one is missing.
    """
    return [_tokenizer(weights, part) for part in FAMILIES[weights.family].text_encoders]


def _text_encoders(weights: Weights) -> nn.Module:
    parts = FAMILIES[weights.family].text_encoders
    if parts == ("text_encoder",):
        return _text_encoder(weights, *parts)
    return TextEncoders({part: _text_encoder(weights, part) for part in parts})


def _text_encoder(weights: Weights, part: str) -> nn.Module:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = part_config(weights, part)
    index = read_config(config_root(weights) / "model_index.json").get(part)
    projecting = isinstance(index, list) and _PROJECTING in index
    kind = CLIPTextModelWithProjection if projecting else CLIPTextModel
    return kind(CLIPTextConfig.from_dict(config))


def _tokenizer(weights: Weights, part: str) -> Any:
    from transformers import CLIPTokenizer

    name = part.replace("text_encoder", "tokenizer")
    root = config_root(weights)
    folder = root / name
    if not folder.is_dir():
        raise lacks(weights, name)
    told = read_config(folder / "tokenizer_config.json")
    if (shared := told.get(VOCABULARY_KEY)) and root == FAMILIES[weights.family].config_folder:
        marks = {key: value for key, value in told.items() if key.endswith("_token")}
        return CLIPTokenizer.from_pretrained(
            str((folder / shared).resolve()), local_files_only=True, **marks
        )
    return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
