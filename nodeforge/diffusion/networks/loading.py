"""Loads networks from a diffusers folder or a single file, offline, without a second copy.

A network is built without memory, then each parameter takes the tensor that was read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.building import build, parts_of, tokenizers
from nodeforge.diffusion.networks.image_encoder import LoadedImageEncoder, load_image_encoder
from nodeforge.diffusion.networks.ip_adapter import LoadedIpAdapter, load_ip_adapter
from nodeforge.diffusion.networks.t2i_adapter import t2i_adapter_tensors
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.weights.configs import lacks, scale_of
from nodeforge.diffusion.weights.layouts import MARKS, from_ldm, matched
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import FAMILIES, weight_files
from nodeforge.values import (
    ControlNet,
    ImageEncoder,
    IpAdapter,
    Model,
    Recipe,
    TextEncoder,
    Vae,
    Weights,
)

if TYPE_CHECKING:
    from diffusers.models.adapter import T2IAdapter
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel


@dataclass
class LoadedModel:
    """A denoising network on its device."""

    network: UNet2DConditionModel
    family: str


class Clip(NamedTuple):
    """A text encoder and its tokenizer."""

    network: Any
    tokenizer: Any


@dataclass
class LoadedTextEncoder:
    """The text encoders of a model on their device.

    Args:
        network: All their weights: the one text encoder, or a module that holds them.
        encoders: Each with its tokenizer, in the order of their parts of an embedding.
        family: Whose they are.
        empty: Keeps what the empty chunk says, by clip skip.
        embeddings: Textual inversions by name: for each of `encoders` (vectors, width).
    """

    network: nn.Module
    encoders: tuple[Clip, ...]
    family: str
    empty: dict[int, PromptInputs] = field(default_factory=dict)
    embeddings: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)


@dataclass
class LoadedVae:
    """An autoencoder on its device; `family` is whose latents it makes."""

    network: AutoencoderKL
    family: str

    @property
    def scale(self) -> int:
        """Pixels of the picture for one cell of the latent."""
        return scale_of(self.network.config)


@dataclass
class LoadedControlNet:
    """A network that steers a denoiser, on its device."""

    network: ControlNetModel | T2IAdapter
    family: str


Loaded = (
    LoadedModel
    | LoadedTextEncoder
    | LoadedVae
    | LoadedControlNet
    | LoadedIpAdapter
    | LoadedImageEncoder
)


def load(
    recipe: Recipe,
    device: torch.device,
    policy: Policy = DEFAULT,
    check: Callable[[], None] = lambda: None,
    home: torch.device | None = None,
) -> Loaded:
    """The network of `recipe` for `device`, in the policy's dtype.

    Args:
        recipe: What to load; its LoRAs are not loaded here.
        device: Where it is to compute.
        policy: What it computes in.
        check: Called between tensors; what it raises stops the loading.
        home: Where its weights are put, if not on the device.

    Raises:
        LoadingError: the model lacks something, or its shapes do not fit.
        ModelFileError: a file is damaged or cannot be read.
    """
    weights = recipe.weights
    if isinstance(recipe, IpAdapter | ImageEncoder):
        make = load_ip_adapter if isinstance(recipe, IpAdapter) else load_image_encoder
        return make(weights, home or device, policy.dtype(weights.part, device), check)
    network: Any = build(recipe)
    found = _sources(network, weights, recipe.second if isinstance(recipe, TextEncoder) else None)
    _fill(network, weights, found, home or device, policy.dtype(weights.part, device), check)
    match recipe:
        case Model():
            return LoadedModel(network, weights.family)
        case TextEncoder():
            inner = [module for _, _, module in parts_of(network, weights.part)]
            clips = tuple(map(Clip, inner, tokenizers(weights)))
            return LoadedTextEncoder(network, clips, weights.family)
        case Vae():
            return LoadedVae(network, FAMILIES[weights.family].latent_family)
        case ControlNet():
            return LoadedControlNet(network, weights.family)


def weight_bytes(network: nn.Module, recipe: Recipe, policy: Policy, device: torch.device) -> int:
    """Bytes that the weights of `recipe` take on `device`, known without reading them.

    Args:
        network: What `build` makes of the recipe.
        recipe: Which network it is.
        policy: What it computes in, and is stored in.
        device: Where it is to compute.
    """
    small = policy.fp8_weights and isinstance(recipe, Model)
    each = 1 if small else policy.dtype(recipe.weights.part, device).itemsize
    return each * sum(parameter.numel() for parameter in network.parameters())


def _fill(
    network: nn.Module,
    weights: Weights,
    found: Mapping[str, StoredTensor],
    device: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None],
) -> None:
    """Give every parameter of `network` its tensor."""
    expected = network.state_dict()
    if missing := sorted(expected.keys() - found.keys()):
        raise LoadingError(
            f"{len(missing)} weights of the {weights.part} are missing, as '{missing[0]}'.",
            place=weights.path,
            way_out="The file is not complete, or of another kind. Choose another.",
        )
    state = {}
    for name, entry in found.items():
        check()
        state[name] = _fitted(entry.read(dtype), expected[name], name, weights).to(device)
    network.load_state_dict(state, assign=True)
    _materialise_buffers(network, device)
    network.requires_grad_(False).eval()


def _fitted(tensor: Tensor, expected: Tensor, name: str, weights: Weights) -> Tensor:
    if tensor.shape == expected.shape:
        return tensor
    if tensor.squeeze().shape == expected.squeeze().shape:  # 1 × 1 convolutions made linear
        return tensor.reshape(expected.shape)
    raise LoadingError(
        f"'{name}' has shape {tuple(tensor.shape)}, {tuple(expected.shape)} is needed.",
        place=weights.path,
        way_out="The model is of another family, or its configuration is not its own.",
    )


def _materialise_buffers(network: nn.Module, device: torch.device) -> None:
    """Fill the buffers that no file holds."""
    for name, buffer in list(network.named_buffers()):
        if not buffer.is_meta:
            continue
        assert name.endswith("position_ids"), name
        owner = network.get_submodule(name.rpartition(".")[0])
        positions = torch.arange(buffer.shape[-1], device=device).expand(buffer.shape)
        owner.register_buffer("position_ids", positions, persistent=False)


def _sources(
    network: nn.Module, weights: Weights, second: Weights | None
) -> dict[str, StoredTensor]:
    """The tensor for each parameter; those that are not there are left out."""
    found: dict[str, StoredTensor] = {}
    if weights.part == "t2i_adapter":
        return t2i_adapter_tensors(Path(weights.path))
    for part, prefix, inner in parts_of(network, weights.part):
        path = Path((second if second and second.part == part else weights).path)
        if path.is_dir():
            there = _folder_tensors(_own_folder(path, part), weights)
        else:
            there = stored_tensors(path)
        if any(name.startswith(MARKS) for name in there):
            there = from_ldm(part, there, getattr(inner, "config", None))
        for parameter, stored in matched(inner.state_dict(), there).items():
            found[prefix + parameter] = stored
    return found


def _folder_tensors(folder: Path, weights: Weights) -> dict[str, StoredTensor]:
    if not (files := weight_files(folder)):
        raise lacks(weights, weights.part)
    return {name: tensor for path in files for name, tensor in stored_tensors(path).items()}


def _own_folder(path: Path, part: str) -> Path:
    """Where a network's files are: in its part of a whole model, or `path` is its own folder."""
    return path / part if (path / part).is_dir() else path
