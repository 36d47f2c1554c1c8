"""Builds networks without weights from their configuration, and tokenizers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from typing import Any

import torch
from torch import nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.t2i_adapter import build_t2i_adapter
from nodeforge.diffusion.networks.tokenizer import tokenizer_of
from nodeforge.diffusion.weights.configs import (
    config_root,
    controlnet_config,
    part_config,
    unet_config,
)
from nodeforge.models import FAMILIES, read_config
from nodeforge.values import ControlNet, Model, Recipe, TextEncoder, Vae, Weights

_PROJECTING = "CLIPTextModelWithProjection"
_TEXT_FIELDS = (
    *("vocab_size", "hidden_size", "intermediate_size", "projection_dim", "num_hidden_layers"),
    *("num_attention_heads", "max_position_embeddings", "hidden_act", "layer_norm_eps"),
    *("pad_token_id", "bos_token_id", "eos_token_id"),
)
_UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_SLOW_TO_IMPORT = (
    "diffusers.models.autoencoders.autoencoder_kl",
    "diffusers.models.unets.unet_2d_condition",
    "diffusers.utils.torch_utils",
    "transformers.models.clip.modeling_clip",
    "transformers.models.clip.tokenization_clip",
)


def import_libraries() -> None:
    """Import the classes of diffusers and transformers that most runs need.

    They take seconds to import, so no module of ours imports them at its top: a process that
    only plans does without, and one that computes calls this while it has nothing else to do.
    """
    for name in _SLOW_TO_IMPORT:
        import_module(name)


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
    with torch.device("meta"), _unfit_explained(weights):
        match recipe:
            case Model():
                return UNet2DConditionModel(**_known(UNet2DConditionModel, unet_config(weights)))
            case TextEncoder():
                return _text_encoders(weights)
            case Vae():
                return AutoencoderKL(**_known(AutoencoderKL, part_config(weights, "vae")))
            case ControlNet() if weights.part == "t2i_adapter":
                return build_t2i_adapter(weights)
            case ControlNet():
                from diffusers.models.controlnets.controlnet import ControlNetModel

                return ControlNetModel(**_known(ControlNetModel, controlnet_config(weights)))
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
    return [tokenizer_of(weights, part) for part in FAMILIES[weights.family].text_encoders]


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
    return kind(CLIPTextConfig(**{name: config[name] for name in _TEXT_FIELDS if name in config}))


def _known(network: type[nn.Module], config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a configuration that the network's class takes."""
    taken = signature(network.__init__).parameters
    return {name: value for name, value in config.items() if name in taken}


@contextmanager
def _unfit_explained(weights: Weights) -> Iterator[None]:
    """What a library raises at a configuration that fits no network."""
    try:
        yield
    except _UNFIT as error:
        raise LoadingError(
            f"its configuration does not describe a network: {str(error)[:200]}",
            place=weights.path,
            way_out="Download the model's folder again, or take the configuration from the "
            "original model.",
        ) from error
