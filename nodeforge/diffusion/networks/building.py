"""Builds networks without weights from their configuration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.motion_module import build_motion_module
from nodeforge.diffusion.networks.t2i_adapter import build_t2i_adapter
from nodeforge.diffusion.networks.text_networks import build_text_encoder
from nodeforge.diffusion.vision.upscaler import build_upscaler
from nodeforge.diffusion.weights.configs import (
    conditioner_config,
    controlnet_config,
    denoiser_config,
    vae_config,
)
from nodeforge.models import FAMILIES, SPACES
from nodeforge.values import (
    ControlNet,
    Model,
    MotionModule,
    NetworkRecipe,
    TextEncoderPart,
    UpscaleModel,
    Vae,
    Weights,
)

_building = Lock()
"""accelerate changes `nn.Module` itself while parameters are kept from memory."""
_UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
# Stable Audio's VAE is written with it
warnings.filterwarnings("ignore", message="`torch.nn.utils.weight_norm`", category=FutureWarning)

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


def build(recipe: NetworkRecipe) -> nn.Module:
    """The network of `recipe` without its weights: all of it is on torch's meta device.

    Raises:
        LoadingError: its configuration is missing.
    """
    with torch.device("meta"):
        return _build(recipe)


def build_to_fill(recipe: NetworkRecipe) -> nn.Module:
    """The network of `recipe` without its weights: parameters are on the meta device.

    Its buffers, as the angles of rotary embeddings, hold their numbers: no file has them.

    Raises:
        LoadingError: its configuration is missing.
    """
    from accelerate import init_empty_weights

    with _building, init_empty_weights(include_buffers=False):
        return _build(recipe)


def _build(recipe: NetworkRecipe) -> nn.Module:
    weights = recipe.weights
    with _unfit_explained(weights):
        match recipe:
            case Model():
                return _denoiser(weights)
            case TextEncoderPart():
                return build_text_encoder(recipe)
            case Vae():
                return _built(SPACES[recipe.space].vae, vae_config(recipe))
            case ControlNet() if weights.part == "t2i_adapter":
                return build_t2i_adapter(weights)
            case ControlNet():
                return _built("ControlNetModel", controlnet_config(weights))
            case MotionModule():
                return build_motion_module(weights)
            case UpscaleModel():
                return build_upscaler(recipe)
            case _:
                raise AssertionError(recipe)  # the others are made as they are read


def _denoiser(weights: Weights) -> nn.Module:
    """A denoiser, with its family's conditioners as modules of it."""
    family = FAMILIES[weights.family]
    network: Any = _built(family.network, _with_own_channels(denoiser_config(weights)))
    if family.blocks:
        network._repeated_blocks = list(family.blocks)
    for name, conditioner in family.conditioners.items():
        config = conditioner_config(weights, name)
        network.add_module(name, _built(conditioner.network, config))
    return network


def _with_own_channels(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration of a denoiser to which its family gives a mask of padding, all zeros.

    Cosmos lays it beside the latent by itself, and needs torchvision for that.
    """
    if not config.get("concat_padding_mask"):
        return config
    return {**config, "in_channels": config["in_channels"] + 1, "concat_padding_mask": False}


def _built(network: str, config: Mapping[str, Any]) -> nn.Module:
    """A network of diffusers, of the fields of a configuration that its class takes."""
    import diffusers

    kind: type[nn.Module] = getattr(diffusers, network)
    taken = signature(kind.__init__).parameters
    return kind(**{name: value for name, value in config.items() if name in taken})


@contextmanager
def _unfit_explained(weights: Weights) -> Iterator[None]:
    """What a library raises at a configuration that fits no network."""
    try:
        yield
    except _UNFIT as error:
        raise LoadingError(
            f"its configuration does not describe a network: {str(error)[:200]}",
            place=str(Path(weights.path)),
            way_out="Download the model's folder again, or take the configuration from the "
            "original model.",
        ) from error
