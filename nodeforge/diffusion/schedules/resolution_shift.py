"""How far flow-matching schedules move to noisier levels for larger pictures.

The shift of a level is exp(mu) in Esser et al. 2024, equation 23; mu grows with the number of
tokens that the denoiser makes of the picture. Schedulers may take it for the shift itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeforge.models import ScheduleShift

_UNMOVED = 256
"""Tokens of the pictures from which Qwen-Image Layered counts how much larger others are."""


def mu_of(
    kind: ScheduleShift, scheduler: Mapping[str, Any], tokens: int, steps: int
) -> float | None:
    """The exponent of the shift; None where the scheduler's own fixed shift holds.

    Args:
        kind: How the family moves its schedule.
        scheduler: The model's scheduler configuration.
        tokens: Of the picture.
        steps: Whole steps at strength 1.
    """
    if not scheduler.get("use_dynamic_shifting") or kind is ScheduleShift.STATIC:
        return None
    if kind is ScheduleShift.EMPIRICAL:
        return empirical_mu(tokens, steps)
    if kind is ScheduleShift.SQUARE_ROOT:
        return (tokens / _UNMOVED) ** 0.5
    return _linear(scheduler, tokens)


def _linear(scheduler: Mapping[str, Any], tokens: int) -> float:
    """A line through two sizes, added up in diffusers' order, which decides the last bit."""
    low, high = scheduler.get("base_image_seq_len", 256), scheduler.get("max_image_seq_len", 4096)
    least, most = scheduler.get("base_shift", 0.5), scheduler.get("max_shift", 1.15)
    slope = (most - least) / (high - low)
    return tokens * slope + (least - slope * low)


def empirical_mu(tokens: int, steps: int) -> float:
    """Fitted by Flux.2's authors at 10 and at 200 steps; between them by a line.

    Args:
        tokens: Of the picture, squares of 16 pixels.
        steps: Whole steps at strength 1.
    """
    at_10 = 8.73809524e-05 * tokens + 1.89833333
    at_200 = 0.00016927 * tokens + 0.45666666
    if tokens > 4300:
        return at_200
    slope = (at_200 - at_10) / 190.0
    return slope * steps + (at_200 - 200.0 * slope)
