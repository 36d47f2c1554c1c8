"""DEIS: second order from the slope of the step before, straight in log sigma."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from nodeforge.diffusion.samplers.multistep.extrapolation import integrals
from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def deis_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One multistep step: Zhang and Chen 2023 (DEIS), with the logarithm of sigma."""
    slope = (x - denoise(x, sigma)) / sigma
    context.remember(slope, sigma, 2)
    if sigma_next == 0:
        return x + (sigma_next - sigma) * slope
    nodes = [float(at) for _, at in context.history]
    weights = integrals(nodes, float(sigma), float(sigma_next), np.log)
    pairs = zip(weights, context.history, strict=True)
    return x + sum(weight * known for weight, (known, _) in pairs)
