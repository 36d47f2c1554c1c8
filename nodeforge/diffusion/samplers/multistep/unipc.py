"""UniPC of second order: each model call corrects the step before, then predicts the next."""

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
    first: bool,
) -> Tensor:
    """Zhao et al. 2023 (UniPC), Algorithms 1 and 2, in units of sigma.

    `first` chooses B(h) = h, bh1, instead of B(h) = exp(h) - 1, bh2.
    """
    clean = denoise(x, sigma)
    if context.x_before is not None:
        x = _corrected(context.x_before, clean, sigma, context.history, first)
    before = list(context.history)
    context.remember(clean, sigma, 2)
    context.x_before = x
    if sigma_next == 0:
        return clean
    h = (sigma / sigma_next).log()
    x = sigma_next / sigma * x - (-h).expm1() * clean
    for earlier, sigma_earlier in before[:1]:
        ratio = (sigma_earlier / sigma).log() / h
        x = x - _b(h, first) / 2 * (earlier - clean) / -ratio
    return x


def _corrected(
    x: Tensor, clean: Tensor, sigma: Tensor, history: list[tuple[Tensor, Tensor]], first: bool
) -> Tensor:
    """The last step again, now that the estimate at its end, `clean`, is known."""
    start, sigma_start = history[0]
    h = (sigma_start / sigma).log()
    x = sigma / sigma_start * x - (-h).expm1() * start
    if len(history) == 1:
        return x - _b(h, first) / 2 * (clean - start)
    earlier, sigma_earlier = history[1]
    ratio = (sigma_earlier / sigma_start).log() / h
    mean = (-h).expm1() / -h - 1  # what the weights below add up to
    moment = 2 * mean / -h - 1
    far = (mean - moment) / (1 + ratio)
    return x + far * (earlier - start) / ratio - (mean - far) * (clean - start)


def _b(h: Tensor, first: bool) -> Tensor:
    return -h if first else (-h).expm1()


unipc_step = partial(_step, first=False)
unipc_bh1_step = partial(_step, first=True)
