"""Finds the configuration of each network: a model's own, or its family's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.checked_config import checked
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import FAMILIES, is_whole_model, read_config
from nodeforge.values import Weights

_FIRST_LAYERS = (
    "model.diffusion_model.input_blocks.0.0.weight",
    "input_blocks.0.0.weight",
    "conv_in.weight",
)
_TOLD_GUIDANCE = (
    "time_embedding.cond_proj.weight",
    "model.diffusion_model.time_embed.cond_proj.weight",
    "time_embed.cond_proj.weight",
)


def config_root(weights: Weights) -> Path:
    """The folder with the configuration of each network: a whole model's own, or its family's."""
    path = Path(weights.path)
    return path if is_whole_model(path) else FAMILIES[weights.family].config_folder


def part_config(weights: Weights, part: str) -> dict[str, Any]:
    """The configuration of one part, as ``unet`` or ``scheduler``.

    Raises:
        LoadingError: the model has none, or a value in it is out of bounds.
    """
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    root, own = config_root(weights), Path(weights.path)
    alone = part == weights.part and own.is_dir() and own != root  # one network in its folder
    file = (own if alone else root / part) / name
    if config := read_config(file):
        return checked(config, file)
    raise lacks(weights, part)


def unet_config(weights: Weights) -> dict[str, Any]:
    """The denoiser's configuration; what a single file says of itself goes before its family's."""
    config = {"in_channels": 4, **part_config(weights, "unet")}
    path = Path(weights.path)
    if path.is_dir():
        return config
    there = stored_tensors(path)
    if first := next((there[name] for name in _FIRST_LAYERS if name in there), None):
        config["in_channels"] = first.shape[1]
    if told := next((there[name] for name in _TOLD_GUIDANCE if name in there), None):
        config["time_cond_proj_dim"] = told.shape[1]
    return config


def controlnet_config(weights: Weights) -> dict[str, Any]:
    """A ControlNet's configuration; a single file in diffusers' layout tells how deep it is.

    Small ones for SDXL lack attention in some blocks, or have fewer layers of it.

    Raises:
        LoadingError: the model has no configuration, or it does not add to all that a denoiser of
            its family has.
    """
    config = part_config(weights, "controlnet")
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


def scale_of(vae_config: Any) -> int:
    """Pixels of the picture for one cell of the latent."""
    return 2 ** (len(vae_config.get("block_out_channels", (64,))) - 1)


def lacks(weights: Weights, part: str) -> LoadingError:
    """The error for a model without `part`."""
    return LoadingError(
        f"the model has no {part}.",
        place=weights.path,
        way_out="Choose a complete diffusers folder or checkpoint.",
    )
