"""Clips longer than a motion module relates at once, seen through overlapping windows of frames.

As MultiDiffusion does with tiles (Bar-Tal et al. 2023), along time: what the windows that see a
frame predict of it is averaged, each weighed the more, the nearer the frame is to its middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from nodeforge.diffusion.participants import ModelCall, Order, Participant, Predict, participant


@participant(order=Order.WINDOWS)
class ContextWindows(Participant):
    """Calls the denoiser for overlapping windows of frames.

    Args:
        frames: Of a window.
        overlap: Frames that neighbours share, below `frames`.
    """

    frames: int
    overlap: int

    def wrap(self, predict: Predict, step: int) -> Predict:
        def predicted(call: ModelCall) -> Tensor:
            count = call.x.shape[2]
            if count <= self.frames:
                return predict(call)
            total, weight = torch.zeros_like(call.x), call.x.new_zeros(count, 1, 1)
            for window in windows(count, self.frames, self.overlap):
                seen = slice(window.start, window.stop)
                made = predict(replace(call, x=call.x[:, :, seen].contiguous(), frames=window))
                shares = _shares(len(window)).to(made)[:, None, None]
                total[:, :, seen] += made * shares
                weight[seen] += shares
            return total / weight

        return predicted


def windows(count: int, frames: int, overlap: int) -> Iterator[range]:
    """Which frames each window sees; the last one ends with the clip."""
    at = 0
    while at + frames < count:
        yield range(at, at + frames)
        at += frames - overlap
    yield range(count - frames, count)


def _shares(frames: int) -> Tensor:
    """How much each frame of a window counts: 1 at its ends, the most in its middle."""
    places = torch.arange(frames)
    return torch.minimum(places, frames - 1 - places).float() + 1
