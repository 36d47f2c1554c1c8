"""IP-Adapters: pictures that a denoiser reads beside the prompt (Ye et al. 2023).

Hooks add what the adapter's attention says, while a network is asked; its own attention
processors stay as they are, and so does the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.unet import UNet2DConditionLoadersMixin
from diffusers.models.embeddings import (
    ImageProjection,
    IPAdapterFullImageProjection,
    IPAdapterPlusImageProjection,
)
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from nodeforge.diffusion.errors import FamilyMismatchError, LoadingError
from nodeforge.diffusion.networks.image_encoder import LoadedImageEncoder, pixel_values
from nodeforge.diffusion.tensors.conditioning import acts, check_range
from nodeforge.diffusion.weights.weights_file import StoredTensor, stored_tensors
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Image, ImagePrompt, IpAdapter, Prompt, Weights

_WHOLE = (ImageProjection,)
_BY_PLACE = (IPAdapterPlusImageProjection, IPAdapterFullImageProjection)


class IpLayers(nn.Module):
    """An adapter's weights: what makes tokens of a picture, and keys and values of tokens."""

    def __init__(self, projection: nn.Module, keys: list[Tensor], values: list[Tensor]) -> None:
        super().__init__()
        self.projection = projection
        self.keys = nn.ModuleList(map(_linear, keys))
        self.values = nn.ModuleList(map(_linear, values))

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.parameters()).device


@dataclass
class LoadedIpAdapter:
    """An IP-Adapter on its device."""

    network: IpLayers
    family: str

    @property
    def reads_places(self) -> bool:
        """Whether it reads what the image encoder says of every place, not of the whole."""
        return isinstance(self.network.projection, _BY_PLACE)


def load_ip_adapter(
    weights: Weights, device: torch.device, dtype: torch.dtype, check: Callable[[], None]
) -> LoadedIpAdapter:
    """Read an adapter in its authors' layout: ``image_proj.*`` and ``ip_adapter.1.to_k_ip``.

    Raises:
        LoadingError: it is of a kind that is not read, or not complete.
        ModelFileError: the file is damaged.
    """
    there = stored_tensors(Path(weights.path))
    projection = _projection(weights, _read(there, "image_proj.", dtype, check))
    attention = _read(there, "ip_adapter.", dtype, check)
    order = sorted({int(name.split(".")[0]) for name in attention})
    try:
        keys = [attention[f"{number}.to_k_ip.weight"] for number in order]
        values = [attention[f"{number}.to_v_ip.weight"] for number in order]
    except KeyError as error:
        raise _unread(weights, f"lacks '{error.args[0]}'") from error
    network = IpLayers(projection, keys, values).to(device, dtype)
    return LoadedIpAdapter(network.requires_grad_(False).eval(), weights.family)


def _read(
    there: Mapping[str, StoredTensor], prefix: str, dtype: torch.dtype, check: Callable[[], None]
) -> dict[str, Tensor]:
    found = {}
    for name, stored in there.items():
        if name.startswith(prefix):
            check()
            found[name.removeprefix(prefix)] = stored.read(dtype)
    return found


def _projection(weights: Weights, state: dict[str, Tensor]) -> nn.Module:
    # diffusers' own reading of the projections; it uses nothing of the network it belongs to
    convert: Any = UNet2DConditionLoadersMixin._convert_ip_adapter_image_proj_to_diffusers
    try:
        made = convert(None, state, low_cpu_mem_usage=False)
    except (KeyError, RuntimeError) as error:
        raise _unread(weights, "has a projection of an unknown kind") from error
    if not isinstance(made, (*_WHOLE, *_BY_PLACE)):
        raise _unread(weights, "is a FaceID: it reads faces through a network of its own")
    return made


def _unread(weights: Weights, fact: str) -> LoadingError:
    return LoadingError(
        f"this IP-Adapter {fact}; it cannot be read.",
        place=weights.path,
        way_out="Choose a plain, a plus or a full-face IP-Adapter.",
    )


def _linear(weight: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    return made


@torch.no_grad()
def look_at(
    conditioning: Conditioning,
    recipe: IpAdapter,
    adapter: LoadedIpAdapter,
    encoder: LoadedImageEncoder,
    image: Image,
    strength: float,
    start: float = 0.0,
    end: float = 1.0,
) -> Conditioning:
    """Let every prompt say what `image` shows, beside what it says already.

    Args:
        conditioning: The prompts.
        recipe: Where `adapter` comes from.
        adapter: Makes tokens of what the encoder sees.
        encoder: Sees the pictures.
        image: Pictures that are looked at together.
        strength: Weight of their influence; 0 is none.
        start: Share of the steps run from which they act.
        end: Share of the steps run up to which they act.

    Raises:
        FamilyMismatchError: the adapter is for another family.
        LoadingError: the adapter was made for another image encoder.
        RangeError: `end` is not after `start`, or either is outside of 0..1.
    """
    check_range(start, end)
    if adapter.family != conditioning.family:
        raise FamilyMismatchError(
            f"the IP-Adapter is for {FAMILIES[adapter.family].label}, "
            f"the prompt for {FAMILIES[conditioning.family].label}.",
            way_out="Choose an IP-Adapter that was made for the model.",
        )
    pixels = pixel_values(encoder, image)
    seen = _seen(adapter, encoder, pixels)
    places = adapter.reads_places
    unseen = _seen(adapter, encoder, torch.zeros_like(pixels)) if places else torch.zeros_like(seen)
    tokens_of(adapter, seen)  # says now that it does not fit, not while steps run
    made = ImagePrompt(recipe, seen, unseen, strength, start, end)
    prompts = tuple(replace(p, images=(*p.images, made)) for p in conditioning.prompts)
    return replace(conditioning, prompts=prompts)


def _seen(adapter: LoadedIpAdapter, encoder: LoadedImageEncoder, pixels: Tensor) -> Tensor:
    if adapter.reads_places:
        seen = encoder.network(pixels, output_hidden_states=True).hidden_states[-2]
    else:
        seen = encoder.network(pixels).image_embeds
    return seen[None].float().cpu()


def tokens_of(adapter: LoadedIpAdapter, seen: Tensor) -> Tensor:
    """What an adapter makes of what is seen: (batch, pictures * tokens, width).

    Raises:
        LoadingError: the adapter was made for another image encoder.
    """
    projection: Any = adapter.network.projection
    dtype = next(projection.parameters()).dtype
    try:
        tokens = projection(seen.flatten(0, 1).to(adapter.network.device, dtype))
    except RuntimeError as error:
        raise LoadingError(
            f"the image encoder says {seen.shape[-1]} numbers; the IP-Adapter reads others.",
            way_out="Choose the image encoder that it was made with: ViT-H for most, for SDXL "
            "without 'vit-h' in its name ViT-bigG.",
        ) from error
    return tokens.reshape(seen.shape[0], -1, tokens.shape[-1])


def acting_images(prompt: Prompt, step: int, steps: int) -> tuple[ImagePrompt, ...]:
    """The pictures of `prompt` that act in whole step `step` of the `steps` run."""
    return tuple(
        each
        for each in prompt.images
        if each.strength != 0 and acts(each.start, each.end, step, steps)
    )


def same_image(each: ImagePrompt) -> tuple[object, ...]:
    """Equal for what says the same in a step."""
    return each.adapter.weights.fingerprint, each.strength, id(each.seen)


@dataclass(frozen=True)
class Look:
    """What a network is to see through one adapter.

    Args:
        adapter: The fingerprint of its weights.
        strength: Weight of its influence.
        seen: As `ImagePrompt` has it, for each of the batch.
    """

    adapter: str
    strength: float
    seen: Tensor


@contextmanager
def looking(
    network: nn.Module, looks: Sequence[Look], adapters: Mapping[str, LoadedIpAdapter]
) -> Iterator[None]:
    """Have `network` see pictures for the block.

    Args:
        network: A UNet.
        looks: What it sees, for each of the batch.
        adapters: By the fingerprint of their weights.

    Raises:
        LoadingError: an adapter was made for a network of other layers.
    """
    through = [adapters[look.adapter] for look in looks]
    tokens = [tokens_of(each, look.seen) for each, look in zip(through, looks, strict=True)]
    with ExitStack() as hooks:
        for place, attention in enumerate(_cross_attention(network) if looks else ()):
            pairs = [
                (*_keys_and_values(each.network, place, said), look.strength)
                for each, said, look in zip(through, tokens, looks, strict=True)
            ]
            seeing = _Seeing(attention.heads, pairs)
            hooks.callback(attention.to_q.register_forward_hook(seeing.ask).remove)
            hooks.callback(attention.to_out[0].register_forward_pre_hook(seeing.add).remove)
        yield


def _cross_attention(network: nn.Module) -> list[Any]:
    """In the order in which adapters number them: that of diffusers' processors."""
    names: Mapping[str, Any] = network.attn_processors  # pyright: ignore[reportAssignmentType]
    ends = ".attn2.processor"
    return [network.get_submodule(n.removesuffix(".processor")) for n in names if n.endswith(ends)]


def _keys_and_values(layers: IpLayers, place: int, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """What is seen at one attention."""
    try:
        return layers.keys[place](tokens), layers.values[place](tokens)
    except (IndexError, RuntimeError) as error:
        raise LoadingError(
            "the IP-Adapter was made for a model of other layers.",
            way_out="Choose an IP-Adapter that was made for the model.",
        ) from error


class _Seeing:
    """Attention to pictures in one layer: the layer's own queries, the adapter's keys."""

    def __init__(self, heads: int, pairs: Sequence[tuple[Tensor, Tensor, float]]) -> None:
        self._heads = heads
        self._pairs = pairs
        self._query = torch.empty(0)

    def ask(self, layer: nn.Module, inputs: tuple[Tensor, ...], query: Tensor) -> None:
        self._query = self._by_head(query)

    def add(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        said = inputs[0]
        for key, value, strength in self._pairs:
            seen = scaled_dot_product_attention(
                self._query, self._by_head(key), self._by_head(value)
            )
            said = said + strength * seen.transpose(1, 2).reshape(said.shape).to(said.dtype)
        return (said, *inputs[1:])

    def _by_head(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, self._heads, x.shape[-1] // self._heads).transpose(1, 2)
