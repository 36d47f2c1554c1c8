"""Converts between predictions (epsilon, v, flow) and clean latents.

Models of diffusion know clean + sigma * noise, scaled to variance 1 where they read it. Models of
flow (Lipman et al. 2023, Liu et al. 2023) know (1 - sigma) * clean + sigma * noise as it is, sigma
from 1 to 0, and predict noise - clean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.values.setting_names import FLOW

_LEAST_SHARE = 2.0**-12
"""What stands for no share of the clean latent, as 4096 does for the largest sigma."""


def noised(clean: Tensor, noise: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """The noisy latent at `sigma` that models predicting `kind` know."""
    if kind == FLOW:
        return (1 - sigma) * clean + sigma * noise
    return clean + noise * sigma


def share(sigma: Tensor, kind: str) -> Tensor | float:
    """Share of the clean latent in the noisy one, above 0."""
    return (1 - sigma).clamp(min=_LEAST_SHARE) if kind == FLOW else 1.0


def as_read(x: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """A noisy latent as the network reads it."""
    return x if kind == FLOW else x / (sigma**2 + 1) ** 0.5


def as_noised(read: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """The reverse of `as_read`."""
    return read if kind == FLOW else read * (sigma**2 + 1) ** 0.5


def denoised(prediction: Tensor, x: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """The clean estimate that a prediction stands for.

    Args:
        prediction: What the network said.
        x: The noisy latent, as `noised` makes it.
        sigma: Its noise level.
        kind: ``epsilon``, ``v_prediction``, ``flow_prediction`` or ``sample``.
    """
    if kind == "sample":
        return prediction
    if kind == "v_prediction":
        return x / (sigma**2 + 1) - prediction * (sigma / torch.sqrt(sigma**2 + 1))
    return x - sigma * prediction


def predicting(clean: Tensor, x: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """The prediction that stands for `clean`: `denoised` undone.

    Args:
        clean: The clean latent.
        x: The noisy latent, as `noised` makes it.
        sigma: Its noise level, above 0.
        kind: ``epsilon``, ``v_prediction``, ``flow_prediction`` or ``sample``.
    """
    if kind == "sample":
        return clean
    if kind == "v_prediction":
        return (x / (sigma**2 + 1) - clean) * (torch.sqrt(sigma**2 + 1) / sigma)
    return (x - clean) / sigma


@dataclass(frozen=True)
class Clean:
    """Between predictions and clean estimates at one x: clean = something + slope * prediction.

    Args:
        x: The noisy latent, as `noised` makes it.
        sigma: Its noise level.
        kind: ``epsilon``, ``v_prediction``, ``flow_prediction`` or ``sample``.
    """

    x: Tensor
    sigma: Tensor
    kind: str

    def __call__(self, prediction: Tensor) -> Tensor:
        """The clean estimate that `prediction` stands for."""
        return denoised(prediction, self.x, self.sigma, self.kind)

    @property
    def slope(self) -> Tensor | float:
        """What a prediction's change does to the clean estimate."""
        if self.kind == "sample":
            return 1.0
        if self.kind == "v_prediction":
            return -self.sigma / torch.sqrt(self.sigma**2 + 1)
        return -self.sigma
