"""Z-Image: the behaviour (Tongyi Lab 2025; diffusers' ZImagePipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.schedules.schedule import SINGLE
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.subwords import encode_llm
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_LAYERS = (-2,)


@dataclass(frozen=True)
class ZImage(Behaviour):
    """It reads as many tokens as the text has; its time runs from 0 to 1, towards the picture."""

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
            said = encode_llm(encoder.encoders[0], asked, family.text_length, _LAYERS)
            count = int(said.mask.sum())
            mask = torch.ones(1, count, dtype=torch.bool)
            return kept(PromptInputs(said.state[:, :count], mask=mask))

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
        dtype = model.dtype
        texts = [each[read] for each, read in zip(said.embedding.to(dtype), said.mask, strict=True)]
        time = (1000 - timestep.expand(len(x)).to(x.device)) / 1000
        pictures = list(x.to(dtype)[:, :, None].unbind(0))
        predicted = model.network(pictures, time, texts, return_dict=False)[0]
        return -torch.stack([each.float() for each in predicted])[:, :, 0]

    def image_tokens(self, height: int, width: int) -> int:
        return height // 2 * (width // 2)


Z_IMAGE = ZImage("z_image", scheduler={SINGLE: True})
