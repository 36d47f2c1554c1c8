"""SDE-DPM-Solver++(3M): third order from the estimates of two steps before, and fresh noise."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def _step(
    denoise: Denoiser,
    x: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    context: StepContext,
    *,
    bend_counts: float,
) -> Tensor:
    """One multistep step: Lu et al. 2022 (DPM-Solver++), section 5, to third order.

    The clean estimate is taken as a parabola in log sigma, which is then integrated exactly where
    its second derivative counts in full. Katherine Crowson's rule in k-diffusion counts half of
    it, as the authors' code does; then it is of second order.
    """
    clean = denoise(x, sigma)
    before = list(context.history)
    context.remember(clean, sigma, 2)
    if sigma_next == 0:
        return clean
    h = (sigma / sigma_next).log()
    total = h * (1 + context.eta)
    x = (-total).exp() * x - (-total).expm1() * clean
    slope, bend = _derivatives(clean, sigma, before)
    second = ((-total).expm1() + total) / total * h
    third = (second / total - h / 2) * h
    x = x + second * slope - third * bend_counts * 2 * bend
    spread = sigma_next * (-(-2 * context.eta * h).expm1()) ** 0.5
    return x + context.between(sigma, sigma_next) * spread if context.eta else x


def _derivatives(
    clean: Tensor, sigma: Tensor, before: list[tuple[Tensor, Tensor]]
) -> tuple[Tensor | float, Tensor | float]:
    """Of the estimate after -log sigma: the first, and half of the second."""
    if not before:
        return 0.0, 0.0
    ways = [(level / sigma).log() for _, level in before]
    near = (clean - before[0][0]) / ways[0]
    if len(before) == 1:
        return near, 0.0
    far = (before[0][0] - before[1][0]) / (ways[1] - ways[0])
    bend = (near - far) / ways[1]
    return near + bend * ways[0], bend


dpmpp_3m_sde_step = partial(_step, bend_counts=1.0)
dpmpp_3m_sde_half_step = partial(_step, bend_counts=0.5)
