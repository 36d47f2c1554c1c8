"""Flux.2: the behaviour (Black Forest Labs 2025; diffusers' Flux2KleinPipeline, Flux2Pipeline)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, encode_in_template
from nodeforge.diffusion.networks.kv_cache import KvCache
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import in_sequence
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_APART = 10
"""Between the times of two reference pictures; the picture that is made has time 0."""


@dataclass(frozen=True)
class Flux2(Behaviour):
    """It reads three layers of a language model side by side, padding included.

    Args:
        layers: Which, as `encode_llm` has them.
        left_out: What no prompt says: it stands for a picture.
    """

    layers: tuple[int, ...] = (9, 18, 27)
    left_out: str = ""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        def without(words: str) -> str:
            return words.replace(self.left_out, "") if self.left_out else words

        family = FAMILIES[self.name]
        return encode_in_template(encoder, family, text, check, self.layers, said=without)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        (height, width), dtype, device = x.shape[-2:], model.dtype, x.device
        text, kept = said.embedding.to(dtype), said.kv_cache
        tokens, places = _sequence([x, *(said.references if kept is None else ())], dtype)
        predicted = model.network(
            hidden_states=tokens,
            timestep=timestep.expand(len(x)).to(device, dtype) / 1000,
            guidance=None if said.guidance is None else said.guidance.to(device).expand(len(x)),
            encoder_hidden_states=text,
            txt_ids=_ids(1, 1, text.shape[1], device),
            img_ids=places,
            kv_cache=kept,
            kv_cache_mode=None if kept is None else "cached",
            return_dict=False,
        )[0]
        made = predicted[:, : height * width]
        return made.permute(0, 2, 1).reshape(len(x), -1, height, width).float()

    def prefill(self, model: LoadedModel, said: PromptInputs) -> KvCache | None:
        if not said.references:
            return None
        network, dtype, pictures = model.network, model.dtype, said.references
        _keep_keys(network)
        # references see themselves alone: one token each of words and of the new picture will do
        words, blank = said.embedding[:, :1].to(dtype), pictures[0][..., :1, :1].to(dtype)
        tokens, places = _sequence([*pictures, blank], dtype, first=1)
        count = tokens.shape[1] - 1
        *_, made = network(
            hidden_states=tokens,
            timestep=tokens.new_zeros(len(tokens)),
            guidance=None,
            encoder_hidden_states=words,
            txt_ids=_ids(1, 1, 1, tokens.device),
            img_ids=places,
            kv_cache_mode="extract",
            num_ref_tokens=count,
            return_dict=False,
        )
        layers = [*made.double_block_caches, *made.single_block_caches]
        shape = (len(tokens), count, network.inner_dim)
        cache = KvCache.empty(network, shape, dtype, tokens.device)
        for own, theirs in zip(cache.layers, layers, strict=True):
            own.store(*theirs.get())
            theirs.clear()
        return cache

    def image_tokens(self, height: int, width: int) -> int:
        return height * width


def _sequence(
    pictures: Sequence[Tensor], dtype: torch.dtype, first: int = 0
) -> tuple[Tensor, Tensor]:
    """The tokens of pictures one after another, and their ids.

    Args:
        first: The number of the first one; 0 is the picture that is made.
    """
    tokens = [each.to(dtype).flatten(2).permute(0, 2, 1) for each in pictures]
    places = [
        _ids(each.shape[-2], each.shape[-1], 1, each.device, _APART * number)
        for number, each in enumerate(pictures, first)
    ]
    return in_sequence(tokens), torch.cat(places, dim=1)


def _keep_keys(network: Any) -> None:
    """Have attention layers keep keys where they are asked to; otherwise they compute as before."""
    from diffusers.models.transformers import transformer_flux2 as flux2

    for blocks, kind in (
        (network.transformer_blocks, flux2.Flux2KVAttnProcessor),
        (network.single_transformer_blocks, flux2.Flux2KVParallelSelfAttnProcessor),
    ):
        for block in blocks:
            if not isinstance(block.attn.processor, kind):
                block.attn.set_processor(kind())


def _ids(height: int, width: int, words: int, device: torch.device, time: int = 0) -> Tensor:
    """Time, row, column and word of each token, (1, tokens, 4)."""
    axes = (torch.arange(count, device=device) for count in (height, width, words))
    return torch.cartesian_prod(torch.tensor([time], device=device), *axes)[None]


FLUX2_KLEIN_4B = Flux2("flux2_klein_4b")
