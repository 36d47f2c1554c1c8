"""DPM-Solver++ (SDE): two model calls a step, Brownian noise for each half."""

from __future__ import annotations

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def dpmpp_sde_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step over a midpoint: Lu et al. 2022 (DPM-Solver++), section 5, singlestep."""
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    middle = (sigma * sigma_next) ** 0.5
    x_middle = _toward(x, clean, sigma, middle, context)
    return _toward(x, denoise(x_middle, middle), sigma, sigma_next, context)


def _toward(
    x: Tensor, clean: Tensor, sigma: Tensor, target: Tensor, context: StepContext
) -> Tensor:
    """From `sigma` to `target` along the line to `clean`, with noise for the way."""
    down, up = ancestral_split(sigma, target, context.eta)
    x = down / sigma * x + (1 - down / sigma) * clean
    return x + context.brownian(sigma, target) * up if up > 0 else x
