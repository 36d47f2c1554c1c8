"""IPNDM: fourth order where steps are even, from the slopes of three steps before."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext

_ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


def ipndm_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step with the weights of even steps: Liu et al. 2022 (PNDM), equation 12.

    Started with lower orders, as the improved PNDM of Zhang and Chen 2023 (DEIS).
    """
    context.remember((x - denoise(x, sigma)) / sigma, sigma, 4)
    weights = _ADAMS_BASHFORTH[len(context.history) - 1]
    pairs = zip(weights, context.history, strict=True)
    return x + (sigma_next - sigma) * sum(weight * slope for weight, (slope, _) in pairs)
