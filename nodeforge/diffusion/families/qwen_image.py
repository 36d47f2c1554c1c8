"""Qwen-Image: the behaviour (Qwen Team 2025; diffusers' QwenImagePipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import pack, unpack
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.subwords import encode_llm
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_LAYERS = (-1,)
_SYSTEM = 34
"""Tokens before the prompt, which the denoiser does not read."""


@dataclass(frozen=True)
class QwenImage(Behaviour):
    """It reads as many tokens as the text has."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        family = FAMILIES[self.name]

        def encoded(words: str, empty: PromptInputs | None) -> PromptInputs:
            del empty  # it was not trained with weights
            asked = family.prompt_template.format(words)
            length = _SYSTEM + family.text_length
            said = encode_llm(encoder.encoders[0], asked, length, _LAYERS, padded=False)
            return kept(PromptInputs(said.state[:, _SYSTEM:], mask=said.mask[:, _SYSTEM:].bool()))

        return with_empty_prompt(encoder, text, encoded, check)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        assert said.mask is not None
        network, (height, width) = model.network, x.shape[-2:]
        dtype = network.dtype
        text, mask = _trimmed(said.embedding.to(dtype), said.mask)
        predicted = network(
            hidden_states=pack(x.to(dtype)),
            timestep=timestep.expand(len(x)).to(x.device, dtype) / 1000,
            encoder_hidden_states=text,
            encoder_hidden_states_mask=mask,
            img_shapes=[[(1, height // 2, width // 2)]] * len(x),
            return_dict=False,
        )[0]
        return unpack(predicted, height, width).float()

    def image_tokens(self, height: int, width: int) -> int:
        return height // 2 * (width // 2)


def _trimmed(text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
    """The tokens without padding that none of the batch reads; no mask where there is none left.

    Attention with a mask that leaves nothing out gives other last bits.
    """
    if mask.is_meta:
        return text, None
    longest = int(mask.sum(1).max())
    text, mask = text[:, :longest], mask[:, :longest]
    return text, None if bool(mask.all()) else mask


QWEN_IMAGE = QwenImage("qwen_image")
