"""IP-Adapters in use: image prompts beside the text (Ye et al. 2023).

Hooks add the adapter's attention while a network is called; its own attention processors stay
as they are, and so does the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from nodeforge.diffusion.errors import FamilyMismatchError, LoadingError
from nodeforge.diffusion.networks.image_encoder import LoadedImageEncoder, pixel_values
from nodeforge.diffusion.networks.ip_adapter import IpLayers, LoadedIpAdapter, tokens_of
from nodeforge.diffusion.participants import (
    BY_STEP,
    Host,
    ImagePromptBatch,
    ModelCall,
    Order,
    Participant,
    Predict,
    networks_loaded,
    participant,
)
from nodeforge.diffusion.tensors.conditioning import check_range, is_active
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Image, ImagePrompt, IpAdapter, Prompt, uncounted


@torch.no_grad()
def add_image_prompt(
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


def active_images(prompt: Prompt, step: int, steps: int) -> tuple[ImagePrompt, ...]:
    """The image prompts active in whole step `step` of the `steps` run, without ranges."""
    return tuple(
        replace(each, start=0.0, end=1.0)
        for each in prompt.images
        if each.strength != 0 and is_active(each.start, each.end, step, steps)
    )


def same_image(each: ImagePrompt) -> tuple[object, ...]:
    """Equal for what says the same in a step."""
    return each.adapter.weights.fingerprint, each.strength, id(each.embedding)


@participant(order=Order.IMAGE_PROMPTS)
class ImagePrompts(Participant):
    """Lets the denoiser attend to image prompts through IP-Adapters.

    Args:
        images: The image prompts that are active in each step.
        adapters: Loaded for the run, by the fingerprint of their weights.
    """

    images: tuple[tuple[ImagePrompt, ...], ...] = field(metadata=BY_STEP)
    adapters: dict[str, LoadedIpAdapter] = field(
        default_factory=dict, metadata=uncounted("loaded by the recipes of 'images'")
    )

    def loaded(self, host: Host, steps: range) -> AbstractContextManager[None]:
        recipes = {
            image.adapter.weights.fingerprint: image.adapter
            for step in steps
            for image in self.images[step]
        }
        return networks_loaded(host, recipes, self.adapters)

    def wrap(self, predict: Predict, step: int) -> Predict:
        if not self.images[step]:
            return predict

        def predicted(call: ModelCall) -> Tensor:
            with attending(call.model.network, call.batch.image_prompts, self.adapters):
                return predict(call)

        return predicted


@contextmanager
def attending(
    network: nn.Module, images: Sequence[ImagePromptBatch], adapters: Mapping[str, LoadedIpAdapter]
) -> Iterator[None]:
    """Let `network` attend to image prompts for the block.

    Args:
        network: A UNet.
        images: An image prompt for each item of the batch; several add up.
        adapters: By the fingerprint of their weights.

    Raises:
        LoadingError: an adapter was made for a network of other layers.
    """
    through = [adapters[image.adapter] for image in images]
    pairs = zip(through, images, strict=True)
    tokens = [tokens_of(each, image.embedding) for each, image in pairs]
    with ExitStack() as hooks:
        for place, attention in enumerate(_cross_attention(network) if images else ()):
            keys_and_values = [
                (*_keys_and_values(each.network, place, said), image.strength)
                for each, said, image in zip(through, tokens, images, strict=True)
            ]
            added = _AddedAttention(attention.heads, keys_and_values)
            hooks.callback(attention.to_q.register_forward_hook(added.keep_query).remove)
            hooks.callback(attention.to_out[0].register_forward_pre_hook(added.add).remove)
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


class _AddedAttention:
    """Attention to pictures in one layer: the layer's own queries, the adapter's keys."""

    def __init__(self, heads: int, pairs: Sequence[tuple[Tensor, Tensor, float]]) -> None:
        self._heads = heads
        self._pairs = pairs
        self._query = torch.empty(0)

    def keep_query(self, layer: nn.Module, inputs: tuple[Tensor, ...], query: Tensor) -> None:
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
