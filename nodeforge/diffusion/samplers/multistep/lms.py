"""LMS: fourth order from the slopes of three steps before."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.multistep.extrapolation import integrals
from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def lms_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One Adams-Bashforth step of unequal width: Katherine Crowson's rule in k-diffusion.

    The same as rhoAB-DEIS: Zhang and Chen 2023.
    """
    slope = (x - denoise(x, sigma)) / sigma
    context.remember(slope, sigma, 4)
    weights = integrals([float(at) for _, at in context.history], float(sigma), float(sigma_next))
    pairs = zip(weights, context.history, strict=True)
    return x + sum(weight * known for weight, (known, _) in pairs)
