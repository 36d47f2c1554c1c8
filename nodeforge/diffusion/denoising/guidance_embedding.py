"""Guidance for distilled denoisers that read the scale as an embedding."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant


@participant(order=Order.GUIDANCE_EMBEDDING)
class EmbeddedGuidance(Participant):
    """Hands the guidance scale to the denoiser (Meng et al. 2023, as LCM's).

    Args:
        embedding: The scale as the denoiser reads it, (1, width).
    """

    embedding: Tensor

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            inputs = replace(call.batch.inputs, guidance=self.embedding)
            return predict(replace(call, prompts=replace(call.batch, inputs=inputs)))

        return predicted


def guidance_embedding(scale: float, width: int) -> Tensor:
    """A guidance scale as denoisers that were distilled with it read it, (1, width).

    Meng et al. 2023, "On Distillation of Guided Diffusion Models"; as LCM's, 0 is none.
    """
    half = width // 2
    rates = torch.exp(torch.arange(half) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    waves = torch.tensor([[(scale - 1) * 1000.0]]) * rates
    return torch.cat([waves.sin(), waves.cos()], dim=1)
