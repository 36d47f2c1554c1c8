"""Binds scales to the weights that they multiply, in files of scaled 8-bit weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import torch

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.models import (
    DROPPED_MARKS,
    FLOAT8_FORMATS,
    INT8_FORMAT,
    SCALE_NAMES,
    read_header,
    told_of_layers,
)

_MARKS = (*SCALE_NAMES, *DROPPED_MARKS, "scaled_fp8")
_ROTATIONS = (4, 16, 64, 256, 1024)
_USUAL_ROTATION = 256


def with_scales(there: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """The tensors of files, each weight with its scale; scales and marks themselves are left out.

    A weight is its 8-bit numbers times its scale, one for all or one for each row, multiplied in
    float32 (ComfyUI's ``weight_scale`` and ``scale_weight``); its inputs may be rotated then.

    Raises:
        LoadingError: a mark says that a weight is stored in another form.
    """
    marks = {name: name.rpartition(".")[2] for name in there}
    marks = {name: last for name, last in marks.items() if last in _MARKS}
    found = {name: stored for name, stored in there.items() if name not in marks}
    if not marks:
        return found
    for name, last in marks.items():
        layer = name.removesuffix(f".{last}")
        if last in SCALE_NAMES and (weight := found.get(f"{layer}.weight")):
            found[f"{layer}.weight"] = replace(weight, scale=there[name])
    for layer, (told, path) in _told(there, marks).items():
        if weight := found.get(f"{layer}.weight"):
            found[f"{layer}.weight"] = _formed(weight, layer, told, path)
    return found


def _told(
    there: Mapping[str, StoredTensor], marks: Mapping[str, str]
) -> dict[str, tuple[Any, Path]]:
    """What files say of their layers' forms: in their metadata, or as JSON beside each weight."""
    found: dict[str, tuple[Any, Path]] = {}
    for path in dict.fromkeys(stored.path for stored in there.values()):
        metadata = read_header(path).metadata
        found |= {layer: (told, path) for layer, told in told_of_layers(metadata).items()}
    for name, last in marks.items():
        if last == "comfy_quant":
            mark = there[name]
            found[name.removesuffix(".comfy_quant")] = (_json(mark), mark.path)
    return found


def _json(mark: StoredTensor) -> Any:
    try:
        return json.loads(bytes(mark.read(torch.uint8).tolist()))
    except ValueError:
        return None


def _formed(weight: StoredTensor, layer: str, told: Any, path: Path) -> StoredTensor:
    """A weight in the form that its mark says."""
    told = told if isinstance(told, dict) else {}
    said = told.get("format", "unknown")
    if said in FLOAT8_FORMATS:
        return weight
    if said != INT8_FORMAT:
        raise _unread(f"quantised as '{said}'", layer, path)
    if not told.get("convrot"):
        return weight
    size = told.get("convrot_groupsize", _USUAL_ROTATION)
    if size not in _ROTATIONS or prod(weight.shape[1:]) % size:
        raise _unread(f"rotated by groups of {size}", layer, path)
    return replace(weight, rotated=size)


def _unread(how: str, layer: str, path: Path) -> LoadingError:
    return LoadingError(
        f"its weights are {how}, which is not read, as those of '{layer}'.",
        place=str(path),
        way_out="Choose the model in bf16, fp16, fp8, int8 or GGUF.",
    )
