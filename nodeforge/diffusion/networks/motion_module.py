"""Builds AnimateDiff's motion modules from their files (Guo et al. 2023)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.checked_config import checked
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import read_config, weight_files
from nodeforge.values import Weights

_RENAMED = (
    (".temporal_transformer", ""),
    (".norms.", ".norm"),
    (".ff_norm", ".norm3"),
    (".attention_blocks.0", ".attn1"),
    (".attention_blocks.1", ".attn2"),
)
_LAYER = re.compile(r"(down|mid|up)_blocks?\.(?:(\d+)\.)?motion_modules\.(\d+)\.proj_in\.weight")
_POSITIONS = "pos_encoder.pe"
_HEADS, _GROUPS, _FRAMES = 8, 32, 32
"""Of the published ones: no shape tells them, but for the most frames."""


@dataclass
class LoadedMotionModule:
    """A motion module on its device.

    Args:
        network: diffusers' `MotionAdapter`.
        family: Of the denoisers that it goes into.
    """

    network: Any
    family: str


def build_motion_module(weights: Weights) -> nn.Module:
    """The network without its weights, from its configuration or from the shapes of its file.

    Raises:
        LoadingError: it is no motion module.
    """
    from diffusers.models.unets.unet_motion_model import MotionAdapter

    path = Path(weights.path)
    if path.is_dir():
        file = path / "config.json"
        config = {n: v for n, v in checked(read_config(file), file).items() if n[0] != "_"}
    else:
        config = _config(weights, path)
    return MotionAdapter(**config)


def motion_module_tensors(path: Path) -> dict[str, StoredTensor]:
    """What is stored, by diffusers' names; positions, which a formula gives, are left out."""
    files = weight_files(path) if path.is_dir() else [path]
    there = {name: t for file in files for name, t in stored_tensors(file).items()}
    return {canonical_name(name): t for name, t in there.items() if _POSITIONS not in name}


def canonical_name(name: str) -> str:
    """diffusers' name of a tensor of a motion module that its authors call `name`."""
    name = name.removeprefix("module.")
    if ".temporal_transformer" in name:
        for theirs, ours in _RENAMED:
            name = name.replace(theirs, ours)
        name = re.sub(r"\.norm([01])\.", lambda found: f".norm{int(found[1]) + 1}.", name)
    return name


def _config(weights: Weights, path: Path) -> dict[str, Any]:
    stored = {name: tensor.shape for name, tensor in stored_tensors(path).items()}
    layers: dict[tuple[str, int], int] = {}
    channels: dict[int, int] = {}
    for name, shape in ((canonical_name(name), shape) for name, shape in stored.items()):
        if not (found := _LAYER.fullmatch(name)):
            continue
        side, block = found[1], int(found[2] or 0)
        layers[side, block] = max(layers.get((side, block), 0), int(found[3]) + 1)
        if side == "down":
            channels[block] = shape[0]
    if not channels:
        raise LoadingError(
            "this is no motion module.", place=weights.path, way_out="Choose another file."
        )
    return {
        "block_out_channels": tuple(channels[block] for block in sorted(channels)),
        "motion_layers_per_block": tuple(layers["down", block] for block in sorted(channels)),
        "motion_num_attention_heads": _HEADS,
        "motion_norm_num_groups": _GROUPS,
        "motion_max_seq_length": _most_frames(stored),
        "use_motion_mid_block": ("mid", 0) in layers,
    }


def _most_frames(stored: Mapping[str, tuple[int, ...]]) -> int:
    tables = (shape for name, shape in stored.items() if _POSITIONS in name and len(shape) == 3)
    return next((shape[1] for shape in tables), _FRAMES)
