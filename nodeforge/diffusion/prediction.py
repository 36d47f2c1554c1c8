"""What a network's prediction says about the clean latent."""

from __future__ import annotations

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
