"""Upscalers: their recipes, the networks that NodeForge builds, and what is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.vision.compact import CompactNetwork
from nodeforge.diffusion.vision.rrdb import RrdbNetwork
from nodeforge.diffusion.vision.spandrel_models import (
    SpandrelNetwork,
    check_spandrel,
    load_spandrel,
)
from nodeforge.diffusion.weights.describe_adapters import of_kind
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import UPSCALERS, Kind, bare_names, esrgan_names, fingerprint
from nodeforge.values import UpscaleModel, Weights

T = TypeVar("T")

UpscalerNetwork = CompactNetwork | RrdbNetwork | SpandrelNetwork

_BUILT: Mapping[str, type[CompactNetwork | RrdbNetwork]] = {
    "compact": CompactNetwork,
    "esrgan": RrdbNetwork,
}
"""What NodeForge builds itself, by architecture; spandrel has the others."""


@dataclass
class LoadedUpscaler:
    """An upscaler on its device.

    Args:
        network: It.
        device: Where it computes.
        dtype: What it computes in.
    """

    network: UpscalerNetwork
    device: torch.device
    dtype: torch.dtype


def describe_upscaler(path: Path) -> UpscaleModel:
    """The recipe of the upscaler at `path`, a single file. Reads the header only.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: it is no upscaler, or of an architecture that is not run here.
    """
    info = of_kind(path, Kind.UPSCALER)
    if not info.is_usable:
        labels = ", ".join(each.label for each in UPSCALERS.values() if not each.refused)
        raise LoadingError(
            f"{info.reason}.", place=str(path), way_out=f"Choose an upscaler of: {labels}."
        )
    if info.architecture not in _BUILT:
        check_spandrel(info.architecture, str(path))
    weights = Weights(str(path), fingerprint(path), "", Kind.UPSCALER.value)
    return UpscaleModel(weights, info.architecture)


def is_built_here(recipe: UpscaleModel) -> bool:
    """Whether its network is NodeForge's own, and known before its weights are read."""
    return recipe.architecture in _BUILT


def build_upscaler(recipe: UpscaleModel) -> nn.Module:
    """The network of an upscaler that is built here, without its weights."""
    there = upscaler_tensors(recipe)
    return _BUILT[recipe.architecture].of({name: each.shape for name, each in there.items()})


def upscaler_tensors(recipe: UpscaleModel) -> dict[str, StoredTensor]:
    """What is stored, by the names of the network that is built."""
    there = bare_names(stored_tensors(Path(recipe.weights.path)))
    return esrgan_names(there) if recipe.architecture == "esrgan" else there


def load_upscaler(
    recipe: UpscaleModel,
    device: torch.device,
    home: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None],
) -> LoadedUpscaler:
    """Read an upscaler that spandrel builds.

    Args:
        recipe: Which one.
        device: Where it is to compute.
        home: Where its weights are put.
        dtype: What it computes in.
        check: Called between tensors; what it raises stops the loading.

    Raises:
        LoadingError: spandrel is missing, or the file is not whole.
        ModelFileError: the file is damaged.
    """
    stored = upscaler_tensors(recipe)
    network = load_spandrel(recipe.weights, recipe.architecture, stored, home, dtype, check)
    return LoadedUpscaler(network, device, dtype)
