"""Stable Audio Open: the behaviour (Evans et al. 2024; diffusers' StableAudioPipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.subwords import encode_t5
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import FAMILIES
from nodeforge.values import AddedConditions, Conditioning, Latent


@dataclass(frozen=True)
class StableAudio(Behaviour):
    """It reads T5's tokens, with zeros after the text, and from which second to which it lasts."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        length = FAMILIES[self.name].text_length

        def encoded(words: str, empty: PromptInputs | None) -> PromptInputs:
            before = None if empty is None else empty.embedding
            said = encode_t5(encoder.encoders[0], words, length, empty=before, masked=True)
            mask = said.mask.bool()
            return kept(PromptInputs(said.state * mask[..., None].to(said.state), mask=mask))

        return with_empty_prompt(encoder, text, encoded, check)

    def default_negative(self, positive: Conditioning, facts: ModelFacts) -> Conditioning | None:
        """No token is read, and no duration: zeros."""
        empty = positive.empty_prompt
        assert empty.mask is not None
        nothing = replace(
            empty,
            embedding=torch.zeros_like(empty.embedding),
            mask=torch.zeros_like(empty.mask),
        )
        return replace(positive, prompts=(nothing,))

    def added_conditions(
        self, framing: AddedConditions, frame: Latent, wanted: bool
    ) -> Tensor | None:
        """The seconds at which the sound starts and ends."""
        return torch.tensor([[0.0, frame.seconds]])

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        from diffusers.models.embeddings import get_1d_rotary_pos_embed

        network, dtype = model.network, model.dtype
        words, durations = _conditions(model, said)
        rotary = get_1d_rotary_pos_embed(
            network.config.attention_head_dim // 2,
            x.shape[2] + 1,
            use_real=True,
            repeat_interleave_real=False,
        )
        predicted = network(
            x.to(dtype),
            timestep.to(x.device)[None],
            encoder_hidden_states=words,
            global_hidden_states=durations,
            rotary_embedding=tuple(each.to(x.device) for each in rotary),
            return_dict=False,
        )[0]
        return predicted.float()


def _conditions(model: LoadedModel, said: PromptInputs) -> tuple[Tensor, Tensor]:
    """What cross-attention reads, and what stands before the latent: (batch, tokens, width)."""
    assert said.mask is not None
    assert said.added_conditions is not None
    project, mask = model.network.projection_model, said.mask[..., None]
    words = project(text_hidden_states=said.embedding.to(model.dtype)).text_hidden_states
    start, end = said.added_conditions[:1].unbind(1)  # the same for the whole batch
    told = project(start_seconds=start, end_seconds=end)
    ends = (told.seconds_start_hidden_states, told.seconds_end_hidden_states)
    ends = [each.expand(len(words), -1, -1) for each in ends]
    read = mask.any(1, keepdim=True)  # a prompt of no token at all has no duration either
    durations = torch.cat(ends, 1) * read.to(words)
    return torch.cat([words * mask.to(words), durations], 1), torch.cat(ends, 2)


STABLE_AUDIO = StableAudio("stable_audio")
