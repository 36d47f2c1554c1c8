"""Wan 2.1 and 2.2: the behaviour (Wan Team 2025; diffusers' WanPipeline)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.subwords import encode_t5
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Wan(Behaviour):
    """It reads umT5's tokens, with zeros after the text, and whole timesteps."""

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
            said = encode_t5(
                encoder.encoders[0], as_trained(words), length, empty=before, masked=True
            )
            return kept(PromptInputs(said.state * said.mask[..., None].to(said.state)))

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
        dtype = model.dtype
        predicted = model.network(
            hidden_states=x.to(dtype),
            timestep=self.times(x, timestep.to(x.device)),
            encoder_hidden_states=said.embedding.to(dtype),
            return_dict=False,
        )[0]
        return predicted.float()

    def times(self, x: Tensor, timestep: Tensor) -> Tensor:
        """The timestep as the network reads it: one for each of the batch."""
        return timestep.expand(len(x))


def as_trained(text: str) -> str:
    """A prompt as the model's were: without HTML's entities, and with single spaces."""
    return _SPACES.sub(" ", html.unescape(html.unescape(text))).strip()


WAN = Wan("wan21")
