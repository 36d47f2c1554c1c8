"""Guidance for distilled denoisers that read the scale as an embedding."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import GuidanceKind
from nodeforge.values import Guidance


@participant(order=Order.GUIDANCE_EMBEDDING)
class EmbeddedGuidance(Participant):
    """Hands the guidance scale to the denoiser (Meng et al. 2023, as LCM's).

    Args:
        embedding: The scale as the denoiser reads it, (1, width), or as it is, (1,).
    """

    embedding: Tensor

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            inputs = replace(call.batch.inputs, guidance=self.embedding)
            return predict(replace(call, prompts=replace(call.batch, inputs=inputs)))

        return predicted


def embedded_scale(scale: float, facts: ModelFacts) -> Tensor | None:
    """The guidance scale as the denoiser reads it; None where it reads none."""
    if facts.guidance_width:
        return guidance_embedding(scale, facts.guidance_width)
    return torch.full((1,), scale) if facts.guidance is GuidanceKind.EMBEDDED else None


def beside_embedded(guidance: Guidance, facts: ModelFacts) -> Guidance:
    """Guidance without what the model does by itself: with a scale that it reads, or none at all.

    Classifier-free guidance beside it has a scale of its own.
    """
    own = (GuidanceKind.EMBEDDED, GuidanceKind.NONE)
    reads = facts.guidance_width or facts.guidance in own
    return replace(guidance, scale=guidance.true_scale or 1.0) if reads else guidance


def guidance_embedding(scale: float, width: int) -> Tensor:
    """A guidance scale as denoisers that were distilled with it read it, (1, width).

    Meng et al. 2023, "On Distillation of Guided Diffusion Models"; as LCM's, 0 is none.
    """
    half = width // 2
    rates = torch.exp(torch.arange(half) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    waves = torch.tensor([[(scale - 1) * 1000.0]]) * rates
    return torch.cat([waves.sin(), waves.cos()], dim=1)
