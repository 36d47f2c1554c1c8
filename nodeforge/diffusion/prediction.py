"""What a network's prediction says about the clean latent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def denoised(prediction: Tensor, x: Tensor, sigma: Tensor, kind: str) -> Tensor:
    """The clean estimate that a prediction stands for.

    Args:
        prediction: What the network said.
        x: The noisy latent, clean + sigma * noise.
        sigma: Its noise level.
        kind: ``epsilon``, ``v_prediction`` or ``sample``.
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
        x: The noisy latent, clean + sigma * noise.
        sigma: Its noise level, above 0.
        kind: ``epsilon``, ``v_prediction`` or ``sample``.
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
        x: The noisy latent, clean + sigma * noise.
        sigma: Its noise level.
        kind: ``epsilon``, ``v_prediction`` or ``sample``.
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
