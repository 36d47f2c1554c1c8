"""Loads networks from a diffusers folder or a single file, offline, without a second copy.

A network is built without memory, then each parameter takes the tensor that was read for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, nn

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.building import build, build_to_fill
from nodeforge.diffusion.networks.card_buffers import has_streams
from nodeforge.diffusion.networks.image_encoder import LoadedImageEncoder, load_image_encoder
from nodeforge.diffusion.networks.ip_adapter import LoadedIpAdapter, load_ip_adapter
from nodeforge.diffusion.networks.motion_module import LoadedMotionModule, motion_module_tensors
from nodeforge.diffusion.networks.packed_layers import (
    PackedWeight,
    computed_in,
    pack,
    packable,
    packed_bytes,
)
from nodeforge.diffusion.networks.silence import encoded_silence
from nodeforge.diffusion.networks.streaming import (
    EIGHT_BITS,
    BlockStream,
    can_stream,
    streamed_bytes,
)
from nodeforge.diffusion.networks.t2i_adapter import t2i_adapter_tensors
from nodeforge.diffusion.networks.tokenizer import tokenizer_of
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.vision.upscaler import (
    LoadedUpscaler,
    is_built_here,
    load_upscaler,
    upscaler_tensors,
)
from nodeforge.diffusion.weights.configs import lacks, own_folder, scale_of
from nodeforge.diffusion.weights.layouts import matched, tensors_of, with_tied
from nodeforge.diffusion.weights.scaled import with_scales
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import FAMILIES, is_whole_model, weight_files
from nodeforge.values import (
    ControlNet,
    ImageEncoder,
    IpAdapter,
    Model,
    MotionModule,
    NetworkRecipe,
    Recipe,
    TextEncoder,
    TextEncoderPart,
    UpscaleModel,
    Vae,
    Weights,
)

if TYPE_CHECKING:
    from diffusers.models.adapter import T2IAdapter
    from diffusers.models.controlnets.controlnet import ControlNetModel


CPU = torch.device("cpu")
_GIVEN = (
    *("num_batches_tracked", "pos_embed.pe"),
    *(each.silence for f in FAMILIES.values() for each in f.conditioners.values() if each.silence),
)
"""Ends of the names of buffers that not all files have: batch normalisation's counter, of which
nothing is computed, sinusoidal positions, which a formula gives, and silence, which a VAE encodes.
"""


@dataclass
class LoadedModel:
    """A denoising network on its device.

    Args:
        network: With its family's conditioners as modules.
        family: Its name.
        kept: What a conditioner said last of prompts: what it read, then what it said.
    """

    network: Any
    family: str
    kept: list[tuple[Tensor, ...]] = field(default_factory=list)

    @cached_property
    def dtype(self) -> torch.dtype:
        """What the network computes in."""
        return computed_in(self.network)


class LoadedEncoder(NamedTuple):
    """A text encoder, its tokenizer, and the device that it computes on.

    Its weights may be elsewhere, and come layer by layer.
    """

    network: Any
    tokenizer: Any
    device: torch.device = CPU


@dataclass
class LoadedTextEncoder:
    """The text encoders of a model on their device.

    Args:
        encoders: Each with its tokenizer, in the order of their parts of an embedding.
        family: Whose prompts they read.
        empty_prompts: Keeps what encoders say of the empty prompt, or chunk, by how it was read.
        embeddings: Textual inversions by name: for each of `encoders` (vectors, width).
    """

    encoders: tuple[LoadedEncoder, ...]
    family: str
    empty_prompts: dict[Hashable, PromptInputs] = field(default_factory=dict)
    embeddings: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)


@dataclass
class LoadedVae:
    """An autoencoder on its device; `space` is the latent space that it works in."""

    network: Any
    space: str

    @property
    def scale(self) -> int:
        """Pixels of the picture for one cell of the latent."""
        return scale_of(self.network.config)


@dataclass
class LoadedControlNet:
    """A network that steers a denoiser, on its device."""

    network: ControlNetModel | T2IAdapter
    family: str


LoadedNetwork = (
    LoadedModel
    | LoadedEncoder
    | LoadedVae
    | LoadedControlNet
    | LoadedIpAdapter
    | LoadedImageEncoder
    | LoadedUpscaler
    | LoadedMotionModule
)
Loaded = LoadedNetwork | LoadedTextEncoder


def load(
    recipe: Recipe,
    device: torch.device,
    policy: Policy = DEFAULT,
    check: Callable[[], None] = lambda: None,
    home: torch.device | None = None,
    *,
    streamed: bool = False,
) -> Any:
    """The network of `recipe` for `device`, in the policy's dtype.

    Args:
        recipe: What to load; its LoRAs are not loaded here.
        device: Where it is to compute.
        policy: What it computes in.
        check: Called between tensors; what it raises stops the loading.
        home: Where its weights are put, if not on the device.
        streamed: Leave the blocks of transformers in the file and read each as it computes:
            `stream_of` the network. What lies outside of them is put on the device.

    Returns:
        One of `Loaded`, as the recipe says.

    Raises:
        LoadingError: the model lacks something, or its shapes do not fit.
        ModelFileError: a file is damaged or cannot be read.
    """
    if isinstance(recipe, TextEncoder):
        parts = (
            load(part, device, policy, check, home, streamed=streamed) for part in recipe.parts
        )
        return LoadedTextEncoder(tuple(parts), recipe.family)
    weights, dtype = recipe.weights, policy.dtype_of(recipe, device)
    if isinstance(recipe, IpAdapter | ImageEncoder):
        make = load_ip_adapter if isinstance(recipe, IpAdapter) else load_image_encoder
        return make(weights, home or device, dtype, check)
    if isinstance(recipe, UpscaleModel) and not is_built_here(recipe):
        return load_upscaler(recipe, device, home or device, dtype, check)
    network: Any = build_to_fill(recipe)
    found = _sources(network, recipe)
    _check_whole(network, weights, found)
    stream = None
    full = names_in_full(network, recipe)
    if streamed and can_stream(network):
        again = isinstance(recipe, Model)
        stream = BlockStream(network, found, dtype, again=again, device=device)
        stream.full = full
        small = {name for name, stored in found.items() if stored.packing is not None}
        stream.rounded = names_in_8_bits(recipe, policy, dtype) - small
    kept = packable(network, found) if stream is None and _stays_packed(recipe) else set[str]()
    there = device if stream is not None else home or device
    _fill(network, weights, found, there, dtype, check, stream, kept, full)
    network.block_stream = stream
    match recipe:
        case Model():
            if recipe.silence is not None:
                _tell_silence(network, recipe, load(recipe.silence, device, policy, check))
            return LoadedModel(network, weights.family)
        case TextEncoderPart():
            return LoadedEncoder(network, tokenizer_of(recipe), device)
        case Vae():
            return LoadedVae(network, recipe.space)
        case ControlNet():
            return LoadedControlNet(network, weights.family)
        case MotionModule():
            return LoadedMotionModule(network, weights.family)
        case UpscaleModel():
            return LoadedUpscaler(network, device, dtype)


def _tell_silence(network: Any, recipe: Model, vae: LoadedVae) -> None:
    """Fill the buffers of silence of a denoiser's conditioners."""
    for part, conditioner in FAMILIES[recipe.weights.family].conditioners.items():
        if conditioner.silence:
            module = network.get_submodule(part)
            buffer = getattr(module, conditioner.silence)
            silence = encoded_silence(vae.network, buffer.shape[1])
            setattr(module, conditioner.silence, silence.to(buffer.device, network.dtype))


def names_in_full(network: nn.Module, recipe: Recipe) -> set[str]:
    """The parameters of a network that stay in float32, whatever it computes in."""
    if not isinstance(recipe, Model):
        return set()
    modules = FAMILIES[recipe.weights.family].in_full
    return {name for name, _ in network.named_parameters() if f".{name}".split(".")[-2] in modules}


def names_in_8_bits(recipe: Recipe, policy: Policy, dtype: torch.dtype) -> set[str]:
    """The parameters of a network that are stored in 8 bits where the policy says so.

    diffusers leaves out those that need more.
    """
    if not policy.fp8_weights or not isinstance(recipe, Model):
        return set()
    network: Any = nn.Module.to(build(recipe), dtype)
    network.enable_layerwise_casting(EIGHT_BITS, compute_dtype=dtype)
    return {name for name, each in network.named_parameters() if each.dtype is EIGHT_BITS}


def streams(recipe: Recipe, policy: Policy, device: torch.device) -> bool:
    """Whether blocks of the network of `recipe` may stay in the file while it computes.

    Those of compiled denoisers may not, nor those for devices without streams.
    """
    if not isinstance(recipe, Model | TextEncoderPart):
        return False
    if device.type != "cpu" and not has_streams(device):
        return False
    return isinstance(recipe, TextEncoderPart) or not policy.compiled


def weight_bytes(
    network: nn.Module,
    recipe: Recipe,
    policy: Policy,
    device: torch.device,
    *,
    streamed: bool = False,
) -> int:
    """Bytes that the weights of `recipe` take on `device`, known without reading them.

    Args:
        network: What `build` makes of the recipe.
        recipe: Which network it is.
        policy: What it computes in, and is stored in.
        device: Where it is to compute.
        streamed: Its blocks stay in the file, where they can; only headers are read.
    """
    dtype = policy.dtype_of(recipe, device)
    small = policy.fp8_weights and isinstance(recipe, Model)
    each = 1 if small else dtype.itemsize
    numbers = sum(parameter.numel() for parameter in network.parameters())
    if not _stays_packed(recipe):
        return each * numbers
    if streamed and can_stream(network):
        found = _sources(network, recipe)
        _check_whole(network, recipe.weights, found)
        return streamed_bytes(network, found, dtype)
    try:
        found = _sources(network, recipe)
    except LoadingError:  # a configuration alone
        return each * numbers
    kept = packable(network, found)
    plain = numbers - sum(
        parameter.numel() for name, parameter in network.named_parameters() if name in kept
    )
    return each * plain + packed_bytes([found[name] for name in kept], dtype.itemsize)


def _stays_packed(recipe: Recipe) -> TypeGuard[Model | TextEncoderPart]:
    """Whether weights that are stored in 8 bits and less are kept so: those of large networks."""
    return isinstance(recipe, Model | TextEncoderPart)


def _check_whole(network: nn.Module, weights: Weights, found: Mapping[str, StoredTensor]) -> None:
    """Refuse files that lack weights."""
    needed = {name for name in network.state_dict() if not name.endswith(_GIVEN)}
    if missing := sorted(needed - found.keys()):
        raise LoadingError(
            f"{len(missing)} weights of the {weights.part} are missing, as '{missing[0]}'.",
            place=weights.path,
            way_out="The file is not complete, or of another kind. Choose another.",
        )


def _fill(
    network: nn.Module,
    weights: Weights,
    found: Mapping[str, StoredTensor],
    device: torch.device,
    dtype: torch.dtype,
    check: Callable[[], None],
    stream: BlockStream | None = None,
    kept: Collection[str] = (),
    full: Collection[str] = (),
) -> None:
    """Give every parameter of `network` its tensor, or what stands for it while it is not read.

    The weights that `kept` names stay as their file has them, those of `full` in float32.
    """
    expected = network.state_dict()
    parameters = {name for name, _ in network.named_parameters(remove_duplicate=False)}
    state: dict[str, Tensor] = {}
    read: dict[StoredTensor, str] = {}  # what serves two parameters is read once
    packed: dict[StoredTensor, PackedWeight] = {}
    for name, entry in found.items():
        check()
        if name in kept:
            if entry not in packed:
                packed[entry] = PackedWeight.read(entry).to(device)
            pack(network, name, packed[entry], dtype)
            continue
        if (same := read.setdefault(entry, name)) != name:
            state[name] = state[same]
            continue
        if stream is not None and name in stream.names:
            _fitted(torch.empty(entry.shape, device="meta"), expected[name], name, weights)
            made = stream.placeholder(expected[name].shape)
        else:
            numbers = entry.read(torch.float32 if name in full else dtype)
            made = _fitted(numbers, expected[name], name, weights).to(device)
            made = made if stream is None else stream.as_stored(name, made)
        # one parameter stays one where it serves twice
        state[name] = nn.Parameter(made, False) if name in parameters else made
    counters = {name: expected[name] for name in expected if name.endswith(_GIVEN)}
    network.load_state_dict({**counters, **state}, assign=True)
    for name, buffer in network.named_buffers():
        owner, _, own = name.rpartition(".")
        if name not in state:
            setattr(network.get_submodule(owner), own, buffer.to(device))
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


def _sources(network: nn.Module, recipe: NetworkRecipe) -> dict[str, StoredTensor]:
    """The tensor for each parameter; those that are not there are left out."""
    weights, path = recipe.weights, Path(recipe.weights.path)
    if isinstance(recipe, UpscaleModel):
        return upscaler_tensors(recipe)
    if isinstance(recipe, MotionModule):
        return motion_module_tensors(path)
    if weights.part == "t2i_adapter":
        return t2i_adapter_tensors(path)
    folder = own_folder(weights)
    there = with_scales(
        stored_tensors(path) if folder is None else _folder_tensors(folder, weights)
    )
    if isinstance(recipe, Model) and is_whole_model(path):
        there |= _conditioner_tensors(path, weights)
    there = tensors_of(recipe, there, network)
    return with_tied(network.state_dict(), matched(network.state_dict(), there))


def _conditioner_tensors(path: Path, weights: Weights) -> dict[str, StoredTensor]:
    """Those of the networks that are loaded with a denoiser, as its modules."""
    return {
        f"{part}.{name}": tensor
        for part in FAMILIES[weights.family].conditioners
        for name, tensor in _folder_tensors(path / part, replace(weights, part=part)).items()
    }


def _folder_tensors(folder: Path, weights: Weights) -> dict[str, StoredTensor]:
    if not folder.is_dir() or not (files := weight_files(folder)):
        raise lacks(weights, weights.part)
    return {name: tensor for path in files for name, tensor in stored_tensors(path).items()}
