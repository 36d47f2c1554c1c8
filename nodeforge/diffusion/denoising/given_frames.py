"""Videos that go on from given frames, for models that see those without noise (Wan 2.2 5B)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant
from nodeforge.diffusion.samplers.stepper import Blend


@participant(order=Order.CHANNELS)
class GivenFrames(Participant):
    """Shows the denoiser given cells as they are, at timestep 0, and keeps them.

    Args:
        original: The latent with the given cells, (1, channels, cells, height, width).
        mask: 1 where the video is to be drawn, 0 where it is given, (1, 1, cells, height, width).
    """

    original: Tensor
    mask: Tensor

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            original, mask = call.tile.cut(self.original), call.tile.cut(self.mask)
            x = (1 - mask) * original + mask * call.x
            return predict(replace(call, x=x, timestep=mask[:, 0] * call.timestep.to(mask.device)))

        return predicted

    def blend(self, step: int) -> Blend:
        def blended(x: Tensor, add_noise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
            return (1 - self.mask) * self.original + self.mask * x

        return blended
