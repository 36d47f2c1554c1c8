"""Networks from a diffusers folder or a single file, offline, without a second copy.

A network is built without memory, then each parameter takes the tensor that was read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from nodeforge.diffusion.devices import precision
from nodeforge.diffusion.layouts import from_ldm, matched
from nodeforge.diffusion.weights_file import StoredTensor, stored_tensors
from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES, fingerprint, read_config, recognise, weight_files
from nodeforge.values import Model, Recipe, TextEncoder, Vae, Weights

Network = TypeVar("Network", bound=nn.Module)

LDM_PREFIXES = ("model.diffusion_model.", "first_stage_model.", "cond_stage_model.")


class LoadingError(NodeForgeError):
    """A model that cannot be loaded: something of it is missing or does not fit."""


@dataclass(frozen=True)
class ModelFacts:
    """What sampling must know of a model, read without loading it.

    Args:
        family: Its family.
        in_channels: Channels that the denoiser reads: 9 for inpainting models.
        latent_channels: Channels of its latents.
        scale: Pixels of the picture for one cell of the latent.
        scheduler: The scheduler's configuration: betas, prediction type, ...
    """

    family: str
    in_channels: int
    latent_channels: int
    scale: int
    scheduler: Mapping[str, Any]


@dataclass
class LoadedModel:
    """A denoising network on its device."""

    network: UNet2DConditionModel
    family: str


@dataclass
class LoadedTextEncoder:
    """A text encoder on its device; `empty` keeps the empty chunk by clip skip."""

    network: CLIPTextModel
    tokenizer: Any
    family: str
    empty: dict[int, Tensor] = field(default_factory=dict)


@dataclass
class LoadedVae:
    """An autoencoder on its device."""

    network: AutoencoderKL
    family: str

    @property
    def scale(self) -> int:
        """Pixels of the picture for one cell of the latent."""
        return _scale(self.network.config)


Loaded = LoadedModel | LoadedTextEncoder | LoadedVae


class Described(NamedTuple):
    """The recipes of a whole model."""

    model: Model
    text_encoder: TextEncoder
    vae: Vae


def describe(path: Path) -> Described:
    """The recipes of the model at `path`: a diffusers folder, or a checkpoint in one file.

    Reads headers and configuration only.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, or a network is missing.
    """
    family = _family(path, ("unet", "text_encoder", "vae"))
    mark = fingerprint(path)
    return Described(
        Model(Weights(str(path), mark, family, "unet")),
        TextEncoder(Weights(str(path), mark, family, "text_encoder")),
        Vae(Weights(str(path), mark, family, "vae")),
    )


def describe_vae(path: Path) -> Vae:
    """The recipe of the VAE at `path`: alone in a folder or a file, or part of a whole model.

    Raises:
        ModelFileError: it is damaged, a pickle, or cannot be read.
        LoadingError: no family here can run it, or there is no VAE in it.
    """
    return Vae(Weights(str(path), fingerprint(path), _family(path, ("vae",)), "vae"))


def _family(path: Path, parts: tuple[str, ...]) -> str:
    info = recognise(path)
    if missing := [part for part in parts if part not in info.parts]:
        raise LoadingError(
            f"this is a {info.kind}: it has no {missing[0].replace('_', ' ')}.",
            place=str(path),
            way_out="Choose a whole checkpoint, or a diffusers folder.",
        )
    if info.family is None:
        raise LoadingError(
            info.reason or "no family of models here can use it.",
            place=str(path),
            way_out=f"Choose a model of one of: {', '.join(FAMILIES)}.",
        )
    return info.family


def facts(model: Model) -> ModelFacts:
    """What sampling must know of `model`. Reads configuration and headers only.

    Raises:
        LoadingError: a part of the model is missing.
    """
    weights = model.weights
    unet = _config(weights, "unet")
    return ModelFacts(
        family=weights.family,
        in_channels=_in_channels(weights, unet),
        latent_channels=unet["out_channels"],
        scale=_scale(_config(weights, "vae")),
        scheduler=_config(weights, "scheduler"),
    )


def latent_layout(weights: Weights) -> tuple[int, int]:
    """Channels of a latent, and pixels of the picture for one cell of it."""
    vae = _config(weights, "vae")
    return vae["latent_channels"], _scale(vae)


def load(recipe: Recipe, device: torch.device, check: Callable[[], None] = lambda: None) -> Loaded:
    """The network of `recipe` on `device`, in the precision of `devices.precision`.

    Args:
        recipe: What to load; its LoRAs are not loaded here.
        device: Where it is to be.
        check: Called between tensors; what it raises stops the loading.

    Raises:
        LoadingError: the model lacks something, or its shapes do not fit.
        ModelFileError: a file is damaged or cannot be read.
    """
    weights = recipe.weights
    dtype = precision(weights.part, device)
    match recipe:
        case Model():
            return LoadedModel(_fill(_unet(weights), weights, device, dtype, check), weights.family)
        case TextEncoder():
            network = _fill(_clip(weights), weights, device, dtype, check)
            return LoadedTextEncoder(network, _tokenizer(weights), weights.family)
        case Vae():
            return LoadedVae(_fill(_vae(weights), weights, device, dtype, check), weights.family)
    raise LoadingError(f"a {weights.part} cannot be loaded yet.", place=weights.path)


def _unet(weights: Weights) -> UNet2DConditionModel:
    config = _config(weights, "unet")
    config["in_channels"] = _in_channels(weights, config)
    with torch.device("meta"):
        return UNet2DConditionModel.from_config(config)  # pyright: ignore[reportReturnType]


def _vae(weights: Weights) -> AutoencoderKL:
    with torch.device("meta"):
        return AutoencoderKL.from_config(_config(weights, "vae"))  # pyright: ignore[reportReturnType]


def _clip(weights: Weights) -> CLIPTextModel:
    config = CLIPTextConfig.from_dict(_config(weights, "text_encoder"))
    with torch.device("meta"):
        return CLIPTextModel(config)


def _tokenizer(weights: Weights) -> Any:
    folder = _config_root(weights) / "tokenizer"
    if not folder.is_dir():
        raise _lacks(weights, "tokenizer")
    return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)


def _fill(
    network: Network,
    weights: Weights,
    device: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None],
) -> Network:
    """Give every parameter of `network` its tensor."""
    found = _sources(network, weights)
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
    return network.requires_grad_(False).eval()


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


def _sources(network: nn.Module, weights: Weights) -> dict[str, StoredTensor]:
    parameters = list(network.state_dict())
    path = Path(weights.path)
    there = {} if not path.is_dir() else _folder_entries(path / weights.part, weights)
    if not path.is_dir():
        there = stored_tensors(path)
        if (
            any(name.startswith(LDM_PREFIXES) for name in there)
            or "encoder.conv_in.weight" in there
        ):
            ranks = {name: len(entry.shape) for name, entry in there.items()}
            names = from_ldm(weights.part, ranks, getattr(network, "config", None))
            found = matched(parameters, names)
            if len(found) == len(parameters):
                return {parameter: there[name] for parameter, name in found.items()}
    found = matched(parameters, {name: name for name in there})
    return {parameter: there[name] for parameter, name in found.items()}


def _folder_entries(folder: Path, weights: Weights) -> dict[str, StoredTensor]:
    if not folder.is_dir():
        raise _lacks(weights, weights.part)
    if not (files := weight_files(folder)):
        raise _lacks(weights, weights.part)
    return {name: tensor for path in files for name, tensor in stored_tensors(path).items()}


def _config_root(weights: Weights) -> Path:
    path = Path(weights.path)
    return path if path.is_dir() else FAMILIES[weights.family].config_folder


def _config(weights: Weights, part: str) -> dict[str, Any]:
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    root = _config_root(weights)
    for folder in (root / part, root):  # a VAE's folder may be the network's own
        if config := read_config(folder / name):
            return dict(config)
    raise _lacks(weights, part)


def _in_channels(weights: Weights, config: Mapping[str, Any]) -> int:
    path = Path(weights.path)
    if path.is_dir():
        return config["in_channels"]
    first = stored_tensors(path).get("model.diffusion_model.input_blocks.0.0.weight")
    return first.shape[1] if first else config["in_channels"]


def _scale(vae_config: Any) -> int:
    return 2 ** (len(vae_config["block_out_channels"]) - 1)


def _lacks(weights: Weights, part: str) -> LoadingError:
    return LoadingError(
        f"the model has no {part}.",
        place=weights.path,
        way_out="Choose a complete diffusers folder or checkpoint.",
    )
