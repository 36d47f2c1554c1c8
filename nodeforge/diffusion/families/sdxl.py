"""Stable Diffusion XL's base model: the behaviour (Podell et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families.sd15 import StableDiffusion
from nodeforge.diffusion.networks.loading import LoadedTextEncoder
from nodeforge.diffusion.tensors.conditioning import zero
from nodeforge.diffusion.text.clip import encode_prompt
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.values import AddedConditions, Conditioning, Latent


@dataclass(frozen=True)
class StableDiffusionXL(StableDiffusion):
    """It reads the last layer but one of two text encoders, the text as a whole, and sizes."""

    scheduler: Mapping[str, Any] = field(default_factory=dict)

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        return encode_prompt(encoder, text, clip_skip, check, last=2)

    def default_negative(self, positive: Conditioning, facts: ModelFacts) -> Conditioning | None:
        """Zeros, unless its pipeline is configured otherwise."""
        if not facts.pipeline.get("force_zeros_for_empty_prompt", True):
            return None
        return zero(replace(positive, prompts=(positive.empty_prompt,)))

    def added_conditions(
        self, framing: AddedConditions, frame: Latent, wanted: bool
    ) -> Tensor | None:
        """Original size, crop and target size, each the vertical before the horizontal."""
        target = framing.target or (frame.width, frame.height)
        return torch.tensor([[*_placed(framing, frame), *reversed(target)]]).float()


@dataclass(frozen=True)
class Refiner(StableDiffusionXL):
    """The refiner has one text encoder, and is told of a score instead of the target size."""

    def added_conditions(
        self, framing: AddedConditions, frame: Latent, wanted: bool
    ) -> Tensor | None:
        usual = 6.0 if wanted else 2.5
        score = usual if framing.aesthetic is None else framing.aesthetic
        return torch.tensor([[*_placed(framing, frame), score]]).float()


def _placed(framing: AddedConditions, frame: Latent) -> tuple[float, ...]:
    original = framing.original or (frame.width, frame.height)
    return (*reversed(original), *reversed(framing.crop))


SDXL = StableDiffusionXL("sdxl")
