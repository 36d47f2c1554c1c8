"""LMS: fourth order from the slopes of three steps before."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.multistep.extrapolation import integrals
from nodeforge.diffusion.samplers.step_context import Aid, Denoiser


def lms_step(denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, aid: Aid) -> Tensor:
    """One Adams-Bashforth step of unequal width: Katherine Crowson's rule in k-diffusion.

    The same as rhoAB-DEIS: Zhang and Chen 2023.
    """
    slope = (x - denoise(x, sigma)) / sigma
    aid.remember(slope, sigma, 4)
    weights = integrals([float(at) for _, at in aid.history], float(sigma), float(sigma_next))
    pairs = zip(weights, aid.history, strict=True)
    return x + sum(weight * known for weight, (known, _) in pairs)
