"""Qwen-Image 2.1: the behaviour (Qwen Team 2026; diffusers' QwenImage21Pipeline)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, encode_in_template, kept
from nodeforge.diffusion.networks.kv_cache import KvCache
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import in_sequence
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.seeing import ON_WHITE, PLACE, encode_seeing, patches_of
from nodeforge.diffusion.text.subwords import BEFORE_NORM
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Image, Prompt

_NOTHING = " "
"""What an empty prompt is read as."""
_IN_PLACE = 4
"""Cells of a picture for one token of it that the text encoder sees."""


@dataclass(frozen=True)
class QwenImage21(Behaviour):
    """It reads words and pictures in one sequence, each picture where the words have its place.

    The keys and values of all that is not the new picture are the same in every step; diffusers
    keeps those of the first. In float32 these are equal to the last bit to computing all anew.
    """

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        return encode_in_template(
            encoder,
            FAMILIES[self.name],
            text,
            check,
            BEFORE_NORM,
            said=lambda words: words or _NOTHING,
        )

    def encode_instruction(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        pictures: Sequence[Image],
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        family, (language, *_) = FAMILIES[self.name], encoder.encoders
        seen = patches_of(language.network, pictures, family.reference_side, ON_WHITE)
        shown = " ".join(
            f"{family.reference_called(number)}<|vision_start|>{PLACE}<|vision_end|>"
            for number, _ in enumerate(seen.tokens, 1)
        )
        start = slice(family.unread_tokens, None)

        def encoded(words: str) -> tuple[PromptInputs, tuple[int, ...]]:
            asked = family.instruction_template.format(shown + (words or _NOTHING))
            length = family.unread_tokens + family.text_length
            said = encode_seeing(language, asked, seen, length, before_norm=True)
            words_alone = ~said.places[0, start]  # of pictures the denoiser sees the latents
            before = words_alone.cumsum(0)[~words_alone].tolist()
            at = [sum(seen.tokens[:number]) for number, _ in enumerate(seen.tokens)]
            state = said.state[:, start][:, words_alone]
            told = kept(PromptInputs(state, mask=torch.ones(state.shape[:2], dtype=torch.bool)))
            return told, tuple(before[first] for first in at)

        said, places = empty, empty_places = encoded("")
        if text:
            check()
            said, places = encoded(text)
        return Conditioning(
            (Prompt(said.embedding, mask=said.mask, places=places),),
            empty.embedding,
            encoder.family,
            empty_mask=empty.mask,
            empty_places=empty_places,
        )

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        height, width = x.shape[-2:]
        network, kept = model.network, said.kv_cache
        with _following(network, x) if x.is_meta else nullcontext():
            predicted = network(
                **_sequence(model, x, timestep, said),
                kv_cache=kept,
                kv_cache_mode=None if kept is None else "cached",
                return_dict=False,
            )[0]
        made = predicted[:, -height * width :]
        return made.transpose(1, 2).reshape(len(x), -1, height, width).float()

    def prefill(self, model: LoadedModel, said: PromptInputs) -> KvCache | None:
        assert said.mask is not None
        batch, device = len(said.embedding), said.embedding.device
        tokens = int(said.mask[0].sum()) + sum(each[0, 0].numel() for each in said.references)
        config, network = model.network.config, model.network
        width = config.num_attention_heads * config.attention_head_dim
        cache = KvCache.empty(network, (batch, tokens, width), model.dtype, device)
        # the smallest picture there is: the tokens before it do not see it
        blank = said.embedding.new_zeros(batch, config.in_channels, 2, 2)
        asked = _sequence(model, blank, blank.new_zeros(()), said)
        network(**asked, kv_cache=cache, kv_cache_mode="extract", return_dict=False)
        return cache

    def image_tokens(self, height: int, width: int) -> int:
        return height * width


def _sequence(
    model: LoadedModel, x: Tensor, timestep: Tensor, said: PromptInputs
) -> dict[str, Any]:
    """The network's arguments: words and pictures, and the one that is made."""
    assert said.mask is not None
    dtype, pictures = model.dtype, [*said.references, x]
    words = said.embedding[:, said.mask[0]].to(dtype)
    text, is_place = _interleaved(words, said.references, said.places)
    slots = is_place.new_ones(x.shape[-2] * x.shape[-1] // _IN_PLACE)
    return {
        "hidden_states": in_sequence([_cells(each.to(dtype)) for each in pictures]),
        "timestep": timestep.expand(len(x)).to(x.device, dtype) / 1000,
        "encoder_hidden_states": text,
        "img_shapes": [[(1, *each.shape[-2:]) for each in pictures]] * len(x),
        "img_mask": torch.cat([is_place, slots]).expand(len(x), -1),
    }


def _cells(latent: Tensor) -> Tensor:
    """(batch, channels, height, width) as (batch, height * width, channels)."""
    return latent.flatten(2).transpose(1, 2)


def _interleaved(
    words: Tensor, pictures: Sequence[Tensor], places: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """The words with room for each picture in its place, and which tokens are room.

    Pictures without a place come after the words.

    Args:
        words: (batch, tokens, width).
        pictures: Latents, (batch, channels, height, width) each.
        places: Before which token each of the first is.
    """
    ends = [*places[: len(pictures)], *[words.shape[1]] * (len(pictures) - len(places))]
    parts, is_place, at = [], [], 0
    for picture, end in zip(pictures, ends, strict=True):
        room = picture.shape[-2] * picture.shape[-1] // _IN_PLACE
        parts += [words[:, at:end], words.new_zeros(len(words), room, words.shape[2])]
        is_place += [*[False] * (end - at), *[True] * room]
        at = end
    rest = words.shape[1] - at
    text = torch.cat([*parts, words[:, at:]], dim=1) if parts else words
    return text, torch.tensor([*is_place, *[False] * rest], device=_known(words.device))


@contextmanager
def _following(network: Any, x: Tensor) -> Iterator[None]:
    """Have masks that decided shapes go on to blocks on the device of `x`."""

    def moved(_: object, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        def on_device(each: Any) -> Any:
            return each.to(x.device) if isinstance(each, Tensor) else each

        return tuple(map(on_device, given)), {n: on_device(each) for n, each in named.items()}

    modules = [*network.transformer_blocks, network.norm_out]
    hooks = [each.register_forward_pre_hook(moved, with_kwargs=True) for each in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _known(device: torch.device) -> torch.device:
    """Where lists are put that decide shapes: torch's meta device keeps no numbers."""
    return torch.device("cpu") if device.type == "meta" else device


QWEN_IMAGE_21 = QwenImage21("qwen_image_21")
