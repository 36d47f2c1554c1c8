"""Chroma: the behaviour (diffusers' ChromaPipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from nodeforge.diffusion.families.behaviour import kept, with_empty_prompt
from nodeforge.diffusion.families.flux1 import Flux1
from nodeforge.diffusion.networks.loading import LoadedTextEncoder
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.subwords import encode_t5
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning


@dataclass(frozen=True)
class Chroma(Flux1):
    """It reads T5's tokens alone, and of their padding the first."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        def encoded(words: str, empty: PromptInputs | None) -> PromptInputs:
            length = FAMILIES[self.name].text_length
            before = None if empty is None else empty.embedding
            said = encode_t5(encoder.encoders[0], words, length, empty=before, masked=True)
            places = torch.arange(length, device=said.mask.device)[None]
            return kept(PromptInputs(said.state, mask=places <= said.mask.sum(1, keepdim=True)))

        return with_empty_prompt(encoder, text, encoded, check)

    def arguments(self, said: PromptInputs, tokens: int, dtype: torch.dtype) -> dict[str, Any]:
        assert said.mask is not None
        picture = torch.ones(len(said.mask), tokens, dtype=torch.bool, device=said.mask.device)
        return {"attention_mask": torch.cat([said.mask.to(dtype), picture], dim=1)}


CHROMA = Chroma("chroma")
