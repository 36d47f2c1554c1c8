"""Stable Diffusion 3 and 3.5: the behaviour (Esser et al. 2024; diffusers' …3Pipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.clip import first_chunk
from nodeforge.diffusion.text.subwords import encode_t5
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_CLIPS = 2


@dataclass(frozen=True)
class StableDiffusion3(Behaviour):
    """It reads a chunk of two CLIPs' tokens, then T5's with their padding, and texts as a whole."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        def encoded(words: str, empty: PromptInputs | None) -> PromptInputs:
            before = None if empty is None else empty.embedding
            chunk = kept(first_chunk(encoder, _CLIPS, words, clip_skip, before))
            after = None if before is None else before[:, chunk.embedding.shape[1] :]
            more = self._tokens_of_t5(encoder, words, after)
            wide = more.new_zeros(1, chunk.embedding.shape[1], more.shape[2])
            wide[..., : chunk.embedding.shape[2]] = chunk.embedding
            return PromptInputs(torch.cat([wide, more], dim=1), chunk.pooled)

        return with_empty_prompt(encoder, text, encoded, check, clip_skip)

    def _tokens_of_t5(self, encoder: LoadedTextEncoder, words: str, empty: Tensor | None) -> Tensor:
        """T5's tokens, float32 on the CPU; zeros without a T5, as the model was trained with."""
        family = FAMILIES[self.name]
        if len(encoder.encoders) == _CLIPS:
            return torch.zeros(1, family.text_length, family.width)
        t5 = encoder.encoders[_CLIPS]
        return encode_t5(t5, words, family.text_length, empty=empty).state.float().cpu()

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        assert said.pooled is not None
        dtype = model.dtype
        predicted = model.network(
            hidden_states=x.to(dtype),
            timestep=timestep.expand(len(x)).to(x.device),
            encoder_hidden_states=said.embedding.to(dtype),
            pooled_projections=said.pooled.to(dtype),
            return_dict=False,
        )[0]
        return predicted.float()


SD3 = StableDiffusion3("sd3")
