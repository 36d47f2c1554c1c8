"""Tells flow maps where each step goes."""

from __future__ import annotations

from dataclasses import field, replace

import torch

from nodeforge.diffusion.participants import (
    BY_STEP,
    ModelCall,
    Order,
    Participant,
    Predict,
    participant,
)


@participant(order=Order.NEXT_TIMESTEP)
class NextTimestep(Participant):
    """Hands the denoiser the timestep that a step jumps to.

    A flow map predicts the mean velocity on the way there, so that one call suffices however far
    it is (Boffi et al. 2024, "Flow map matching").

    Args:
        timesteps: Of each step, 0..1000.
    """

    timesteps: tuple[float, ...] = field(metadata=BY_STEP)

    def wrap(self, predict: Predict, step: int) -> Predict:
        told = torch.tensor([self.timesteps[step]])

        def predicted(call: ModelCall) -> torch.Tensor:
            inputs = replace(call.batch.inputs, next_timestep=told)
            return predict(replace(call, prompts=replace(call.batch, inputs=inputs)))

        return predicted
