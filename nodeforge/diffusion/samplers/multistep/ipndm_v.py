"""IPNDM with unequal steps: the slopes of three steps before, weighed by the steps' widths."""

from __future__ import annotations

import itertools

from torch import Tensor

from nodeforge.diffusion.samplers.step_context import Denoiser, StepContext


def ipndm_v_step(
    denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
) -> Tensor:
    """One step of up to fourth order: Zhou et al. 2024 (diff-sampler), iPNDM_v.

    Their weights are not quite those of Adams-Bashforth: where widths change slowly it is of
    third order.
    """
    slope = (x - denoise(x, sigma)) / sigma
    context.remember(slope, sigma, 4)
    if sigma_next == 0:
        return x - sigma * slope
    levels = [sigma_next, *(level for _, level in context.history)]
    widths = [after - before for after, before in itertools.pairwise(levels)]
    pairs = zip(_weights(widths), context.history, strict=True)
    return x + widths[0] * sum(weight * known for weight, (known, _) in pairs)


def _weights(widths: list[Tensor]) -> list[Tensor | float]:
    """Of the slopes, the last one first; `widths` are of the steps, the one to make first.

    Newton's form: each order adds a multiple of the next difference of the slopes, here written
    out for the slopes themselves.
    """
    if len(widths) == 1:
        return [1.0]
    h, h1 = widths[:2]
    weights: list[Tensor | float] = [1 + h / h1 / 2, -h / h1 / 2]
    if len(widths) > 2:
        h2 = widths[2]
        third = (1 - h / (3 * (h + h1)) * (h * (h + h1)) / (h1 * (h1 + h2))) / 2
        weights = _added(weights, third, [1.0, -(1 + h1 / h2), h1 / h2])
    if len(widths) > 3:
        h2, h3 = widths[2:]
        near, far = h1 / h2, h1 * (h1 + h2) / (h2 * (h2 + h3))
        fourth = (1 - h / (3 * (h + h1))) / 2 + (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2))
        fourth = fourth * (h * (h + h1) * (h + h1 + h2)) / (h1 * (h1 + h2) * (h1 + h2 + h3))
        parts = [1.0, -(1 + near + far), near + far * (1 + h2 / h3), -far * near]
        weights = _added(weights, fourth, parts)
    return weights


def _added(
    weights: list[Tensor | float], share: Tensor, parts: list[Tensor | float]
) -> list[Tensor | float]:
    longer = [*weights, 0.0]
    return [weight + share * part for weight, part in zip(longer, parts, strict=True)]
