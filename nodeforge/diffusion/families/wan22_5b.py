"""Wan 2.2 5B: the behaviour (Wan Team 2025; diffusers' WanPipeline)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nodeforge.diffusion.families.wan21 import Wan


@dataclass(frozen=True)
class Wan22With5B(Wan):
    """It reads a timestep for each token: those of a given picture are without noise."""

    def times(self, x: Tensor, timestep: Tensor) -> Tensor:
        """(batch, tokens)."""
        if timestep.ndim:  # of each cell, where some are given
            return timestep[:, :, ::2, ::2].flatten(1).expand(len(x), -1)
        tokens = x.shape[2] * (x.shape[3] // 2) * (x.shape[4] // 2)
        return timestep.expand(len(x), tokens)


WAN22_5B = Wan22With5B("wan22_5b")
