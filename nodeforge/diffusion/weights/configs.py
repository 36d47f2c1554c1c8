"""Finds the configuration of each network: a model's own, or its family's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.checked_config import checked
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import (
    FAMILIES,
    SPACES,
    TEXT_ENCODER_KINDS,
    is_whole_model,
    read_config,
)
from nodeforge.values import TextEncoderPart, Vae, Weights

_CONFIG, _SCHEDULER = "config.json", "scheduler_config.json"
_FIRST_LAYERS = (
    "model.diffusion_model.input_blocks.0.0.weight",
    "input_blocks.0.0.weight",
    "conv_in.weight",
)
_PIXEL_CHANNELS, _IN_AND_OUT = "input_channels", ("in_channels", "out_channels")
"""What Qwen-Image's VAE calls the channels of its pictures, and what Wan's, which is the same."""
_DECODER_WIDTHS = "decoder_block_out_channels"
_DECODER_LEVEL = re.compile(
    r"(?:^|\.)decoder\.up(?P<ours>_blocks)?\.(?P<level>\d+)\.(?:block|resnets)\.0\.conv1\.weight$"
)
"""Of a VAE; its authors count levels from the picture's size, diffusers from the latent's."""
_TOLD_GUIDANCE = (
    "time_embedding.cond_proj.weight",
    "model.diffusion_model.time_embed.cond_proj.weight",
    "time_embed.cond_proj.weight",
)


def config_root(weights: Weights) -> Path:
    """The folder with the configuration of each network: a whole model's own, or its family's."""
    path = Path(weights.path)
    return path if is_whole_model(path) else FAMILIES[weights.family].config_folder


def own_folder(weights: Weights) -> Path | None:
    """The folder that has the network itself, with its configuration; None for a single file."""
    path = Path(weights.path)
    if is_whole_model(path):
        return path / weights.part
    return path if path.is_dir() else None


def scheduler_config(weights: Weights) -> dict[str, Any]:
    """The configuration of the scheduler that a model was trained with.

    Raises:
        LoadingError: the model has none, or a value in it is out of bounds.
    """
    return _read(config_root(weights) / "scheduler" / _SCHEDULER, weights, "scheduler")


def vae_config(vae: Vae) -> dict[str, Any]:
    """The configuration of an autoencoder; a single file tells how wide its decoder is.

    Raises:
        LoadingError: the model has none, or a value in it is out of bounds.
    """
    own = own_folder(vae.weights)
    config = _read((own or SPACES[vae.space].config_folder) / _CONFIG, vae.weights, "vae")
    if (channels := config.get(_PIXEL_CHANNELS)) is not None:
        config.update(dict.fromkeys(_IN_AND_OUT, channels))
    if own is not None:
        return config
    if _DECODER_WIDTHS in config and (path := Path(vae.weights.path)).is_file():
        widths = _decoder_widths(stored_tensors(path))
        config[_DECODER_WIDTHS] = None if widths == config["block_out_channels"] else widths
    return config


def text_encoder_config(part: TextEncoderPart) -> dict[str, Any]:
    """The configuration of a text encoder.

    Raises:
        LoadingError: the model has none, or a value in it is out of bounds.
    """
    folder = own_folder(part.weights) or TEXT_ENCODER_KINDS[part.kind].config_folder
    return _read(folder / _CONFIG, part.weights, part.weights.part)


def inner_config(part: TextEncoderPart, *path: str) -> dict[str, Any]:
    """An object inside a text encoder's configuration; empty where it has none.

    Args:
        part: Which text encoder.
        path: Its name, after those of the objects that it is in.

    Raises:
        LoadingError: a value in it is out of bounds.
    """
    file = (own_folder(part.weights) or TEXT_ENCODER_KINDS[part.kind].config_folder) / _CONFIG
    found: Any = read_config(file)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return checked(found, file) if isinstance(found, dict) else {}


def denoiser_config(weights: Weights) -> dict[str, Any]:
    """The denoiser's configuration; what a single file says of itself goes before its family's.

    Raises:
        LoadingError: the model has none, or a value in it is out of bounds.
    """
    folder = own_folder(weights)
    if folder is not None:
        return _read(folder / _CONFIG, weights, weights.part)
    family = FAMILIES[weights.family]
    config = _read(family.denoiser_config() / _CONFIG, weights, weights.part)
    there = stored_tensors(Path(weights.path))
    if family.signature is not None:
        shapes = {name: stored.shape for name, stored in there.items()}
        place = family.signature.find(shapes)
        return config | (family.signature.config(place, shapes) if place else {})
    if first := next((there[name] for name in _FIRST_LAYERS if name in there), None):
        config["in_channels"] = first.shape[1]
    if told := next((there[name] for name in _TOLD_GUIDANCE if name in there), None):
        config["time_cond_proj_dim"] = told.shape[1]
    return config


def conditioner_config(weights: Weights, name: str) -> dict[str, Any]:
    """The configuration of a conditioner of the denoiser of `weights`.

    Raises:
        LoadingError: the model has none, or a value in it is out of bounds.
    """
    return _read(config_root(weights) / name / _CONFIG, weights, name)


def controlnet_config(weights: Weights) -> dict[str, Any]:
    """A ControlNet's configuration; a single file in diffusers' layout tells how deep it is.

    Small ones for SDXL lack attention in some blocks, or have fewer layers of it.

    Raises:
        LoadingError: the model has no configuration, or it does not add to all that a denoiser of
            its family has.
    """
    folder = own_folder(weights) or FAMILIES[weights.family].config_folder / "controlnet"
    config = _read(folder / _CONFIG, weights, "controlnet")
    path = Path(weights.path)
    there = stored_tensors(path) if path.is_file() else {}
    if "controlnet_mid_block.weight" not in there:
        return config
    _check_places(weights, config, there)
    blocks = [f"down_blocks.{number}" for number in range(len(config["down_block_types"]))]
    depths = [_depth(there, block) for block in blocks]
    middle = _depth(there, "mid_block")
    return config | {
        "down_block_types": [("CrossAttn" if deep else "") + "DownBlock2D" for deep in depths],
        "mid_block_type": "UNetMidBlock2D" + ("CrossAttn" if middle else ""),
        "transformer_layers_per_block": [deep or middle or 1 for deep in depths],
    }


def _read(file: Path, weights: Weights, part: str) -> dict[str, Any]:
    if config := read_config(file):
        return checked(config, file)
    raise lacks(weights, part)


def _decoder_widths(there: Mapping[str, StoredTensor]) -> list[int] | None:
    """Channels of a decoder's levels, of the picture's size first; None where names are unknown."""
    theirs, ours = dict[int, int](), dict[int, int]()
    for name, stored in there.items():
        if found := _DECODER_LEVEL.search(name):
            (ours if found["ours"] else theirs)[int(found["level"])] = stored.shape[0]
    widths = [ours[level] for level in sorted(ours, reverse=True)]
    return widths or [theirs[level] for level in sorted(theirs)] or None


def _depth(there: Iterable[str], block: str) -> int:
    """Layers of attention in each transformer of `block`."""
    start = f"{block}.attentions.0.transformer_blocks."
    return len({name[len(start) :].split(".")[0] for name in there if name.startswith(start)})


def _check_places(
    weights: Weights, config: Mapping[str, Any], there: Mapping[str, StoredTensor]
) -> None:
    layers = config["layers_per_block"]
    wanted = len(config["block_out_channels"]) * (layers + 1)
    found = sum(name.startswith("controlnet_down_blocks.") for name in there) // 2
    if found != wanted:
        label = FAMILIES[weights.family].label
        raise LoadingError(
            f"adds to {found} places of the denoiser; one of {label} has {wanted}.",
            place=weights.path,
            way_out=f"Choose a ControlNet that was made for {label}.",
        )


def scale_of(config: Mapping[str, Any]) -> int:
    """Pixels of the picture, or samples of the sound, for one cell of a VAE's latents.

    Args:
        config: The VAE's.
    """
    if ratios := config.get("downsampling_ratios"):  # of sounds' VAEs
        return prod(ratios)
    levels = config.get("temperal_downsample") or ()  # of videos' VAEs
    halvings = len(levels) or len(config.get("block_out_channels", (64,))) - 1
    patch = config.get("patch_size") or 1  # a VAE may fold cells, or pixels, into channels
    return 2**halvings * (patch if isinstance(patch, int) else patch[0])


def lacks(weights: Weights, part: str) -> LoadingError:
    """The error for a model without `part`."""
    return LoadingError(
        f"the model has no {part}.",
        place=weights.path,
        way_out="Choose a complete diffusers folder or checkpoint.",
    )
