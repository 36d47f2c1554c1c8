"""Builds T2I-Adapters from their files (Mou et al. 2023)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.checked_config import checked
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import read_config, weight_files
from nodeforge.values import Weights

if TYPE_CHECKING:
    from diffusers.models.adapter import T2IAdapter

T = TypeVar("T")

_FIELDS = ("in_channels", "channels", "num_res_blocks", "downscale_factor", "adapter_type")

_FLAT = re.compile(r"body\.(\d+)\.(block\d\..*|in_conv\..*)")
_LIGHT = re.compile(r"body\.(\d+)\.body\.(\d+)\.(.*)")
_BLOCK = re.compile(r"adapter\.body\.(\d+)\.resnets\.(\d+)\.block1\.weight")


def build_t2i_adapter(weights: Weights) -> T2IAdapter:
    """The network without its weights, from its configuration or from the shapes of its file.

    Raises:
        LoadingError: it is no T2I-Adapter.
    """
    from diffusers.models.adapter import T2IAdapter

    path = Path(weights.path)
    if path.is_dir():
        file = path / "config.json"
        found = checked(read_config(file), file)
        config = {name: found[name] for name in _FIELDS if name in found}
    else:
        config = dict(_config(weights, path))
    return T2IAdapter(**config)


def t2i_adapter_tensors(path: Path) -> dict[str, StoredTensor]:
    """What is stored, by diffusers' names."""
    files = weight_files(path) if path.is_dir() else [path]
    return named({name: t for file in files for name, t in stored_tensors(file).items()})


def named(there: Mapping[str, T]) -> dict[str, T]:
    """An adapter's tensors by diffusers' names, which its authors' file has otherwise.

    Theirs counts the blocks of all levels through; a level begins where the picture shrinks,
    which is every so many blocks alike.
    """
    if any(name.startswith("adapter.") for name in there):
        return dict(there)
    if any(_LIGHT.match(name) for name in there):
        return {"adapter." + _LIGHT.sub(r"body.\1.resnets.\2.\3", n): t for n, t in there.items()}
    blocks = {int(found[1]) for name in there if (found := _FLAT.fullmatch(name))}
    each = max(1, len(blocks) // 4)

    def name_of(name: str) -> str:
        if not (found := _FLAT.fullmatch(name)):
            return f"adapter.{name}"
        level, block = divmod(int(found[1]), each)
        inner = found[2] if found[2].startswith("in_conv") else f"resnets.{block}.{found[2]}"
        return f"adapter.body.{level}.{inner}"

    return {name_of(name): tensor for name, tensor in there.items()}


def _config(weights: Weights, path: Path) -> dict[str, Any]:
    there = t2i_adapter_tensors(path)
    shapes = {name: tensor.shape for name, tensor in there.items()}
    light = any(name.endswith("out_conv.weight") for name in shapes)
    first = "adapter.body.0.in_conv.weight" if light else "adapter.conv_in.weight"
    blocks = [found for name in shapes if (found := _BLOCK.fullmatch(name))]
    if first not in shapes or not blocks:
        raise LoadingError(
            "this is no T2I-Adapter.", place=weights.path, way_out="Choose another file."
        )
    # a light adapter's last level has the channels of the one before
    levels = max(int(found[1]) for found in blocks) + (not light)
    side = "out_conv" if light else "resnets.0.block1"
    folded = shapes[first][1]
    factor = 16 if folded % 256 == 0 else 8
    full = "full_adapter_xl" if factor == 16 else "full_adapter"
    return {
        "in_channels": folded // factor**2,
        "channels": [shapes[f"adapter.body.{n}.{side}.weight"][0] for n in range(levels)],
        "num_res_blocks": 1 + max(int(found[2]) for found in blocks),
        "downscale_factor": factor,
        "adapter_type": "light_adapter" if light else full,
    }
