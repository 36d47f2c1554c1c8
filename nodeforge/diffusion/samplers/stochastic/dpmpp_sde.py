"""DPM-Solver++ (SDE): two model calls a step, Brownian noise for each half."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext, ancestral_split


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    by_logarithm: bool,
) -> Tensor:
    """One step over a midpoint: Lu et al. 2022 (DPM-Solver++), section 5, singlestep.

    `by_logarithm` finds the midpoint as k-diffusion does. Its last bits differ, and with them
    Brownian noise by some thousandths.
    """
    clean = denoise(x, sigma)
    if sigma_next == 0:
        return clean
    middle = (sigma * sigma_next) ** 0.5
    if by_logarithm:
        start, end = -sigma.log(), -sigma_next.log()
        middle = (-(start + (end - start) / 2)).exp()
    x_middle = _toward(x, clean, sigma, middle, context)
    return _toward(x, denoise(x_middle, middle), sigma, sigma_next, context)


def _toward(
    x: Tensor, clean: Tensor, sigma: Tensor, target: Tensor, context: StepContext
) -> Tensor:
    """From `sigma` to `target` along the line to `clean`, with noise for the way."""
    down, up = ancestral_split(sigma, target, context.eta)
    x = down / sigma * x + (1 - down / sigma) * clean
    return x + context.brownian(sigma, target) * up if up > 0 else x


dpmpp_sde_step = partial(_step, by_logarithm=False)
dpmpp_sde_log_step = partial(_step, by_logarithm=True)
