"""Binds scales to the weights that they multiply, in files of scaled 8-bit weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import torch

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.models import DROPPED_MARKS, FLOAT8_FORMATS, SCALE_NAMES

_MARKS = (*SCALE_NAMES, *DROPPED_MARKS, "scaled_fp8")


def with_scales(there: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """The tensors of a file, each weight with its scale; scales and marks themselves are left out.

    A weight is its 8-bit numbers times its scale, one for all or one for each row, multiplied in
    float32 (ComfyUI's ``weight_scale`` and ``scale_weight``).

    Raises:
        LoadingError: a mark says that a weight is stored in another form.
    """
    marks = {name: name.rpartition(".")[2] for name in there}
    marks = {name: last for name, last in marks.items() if last in _MARKS}
    found = {name: stored for name, stored in there.items() if name not in marks}
    for name, last in marks.items():
        layer = name.removesuffix(f".{last}")
        if last == "comfy_quant":
            _check_format(layer, there[name])
        elif last in SCALE_NAMES and (weight := found.get(f"{layer}.weight")):
            found[f"{layer}.weight"] = replace(weight, scale=there[name])
    return found


def _check_format(layer: str, mark: StoredTensor) -> None:
    """ComfyUI writes JSON, as bytes, beside each weight."""
    try:
        told = json.loads(bytes(mark.read(torch.uint8).tolist()))
    except ValueError:
        told = None
    said = told.get("format") if isinstance(told, dict) else "unknown"
    if said not in FLOAT8_FORMATS:
        raise LoadingError(
            f"its weights are quantised as '{said}', which is not read, as those of '{layer}'.",
            place=str(mark.path),
            way_out="Choose the model in bf16, fp16 or fp8.",
        )
