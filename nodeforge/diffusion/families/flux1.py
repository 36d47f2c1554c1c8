"""Flux.1: the behaviour (Black Forest Labs 2024; diffusers' FluxPipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import in_sequence, pack, place_ids, unpack
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.clip import pooled_text
from nodeforge.diffusion.text.subwords import encode_t5
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning


@dataclass(frozen=True)
class Flux1(Behaviour):
    """It reads T5's tokens, CLIP's text as a whole, and the guidance scale."""

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
            said = encode_t5(encoder.encoders[1], words, length, empty=before)
            return kept(PromptInputs(said.state, pooled_text(encoder, 0, words)))

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
        network, (height, width) = model.network, x.shape[-2:]
        dtype, device = model.dtype, x.device
        tokens, text = pack(x.to(dtype)), said.embedding.to(dtype)
        places = [place_ids(height // 2, width // 2, device, dtype)]
        for number, reference in enumerate(said.references, 1):
            high, wide = reference.shape[-2:]
            places.append(place_ids(high // 2, wide // 2, device, dtype, number))
        seen = [tokens, *(pack(reference.to(dtype)) for reference in said.references)]
        predicted = network(
            hidden_states=in_sequence(seen),
            timestep=timestep.expand(len(tokens)).to(device, dtype) / 1000,
            encoder_hidden_states=text,
            txt_ids=torch.zeros(text.shape[1], 3, device=device, dtype=dtype),
            img_ids=torch.cat(places),
            return_dict=False,
            **self.arguments(said, tokens.shape[1], dtype),
        )[0]
        return unpack(predicted[:, : tokens.shape[1]], height, width).float()

    def arguments(self, said: PromptInputs, tokens: int, dtype: torch.dtype) -> dict[str, Any]:
        """What the denoiser is told beside the text's tokens.

        Args:
            said: What the prompts say.
            tokens: Of the picture.
            dtype: What the denoiser computes in.
        """
        assert said.pooled is not None
        scale = said.guidance
        return {
            "pooled_projections": said.pooled.to(dtype),
            "guidance": None
            if scale is None
            else scale.to(said.pooled.device).expand(len(said.pooled)),
        }

    def image_tokens(self, height: int, width: int) -> int:
        return height // 2 * (width // 2)


FLUX1 = Flux1("flux1")
