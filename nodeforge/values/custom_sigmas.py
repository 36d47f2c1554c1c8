"""Noise levels that a person writes."""

from __future__ import annotations

from itertools import pairwise

from nodeforge.errors import NodeForgeError


class ScheduleError(NodeForgeError):
    """A schedule with which nothing can be sampled."""


def parse_sigmas(text: str) -> tuple[float, ...]:
    """Sigmas from text: numbers between commas or spaces.

    Raises:
        ScheduleError: a word is no number, or the sigmas do not fall to 0.
    """
    words = text.replace(",", " ").replace(";", " ").split()
    try:
        sigmas = tuple(float(word) for word in words)
    except ValueError:
        raise ScheduleError(
            f"'{text[:80]}' is not a list of numbers.",
            way_out="Write for instance '14.6, 6.5, 2.9, 1.2, 0.4, 0'.",
        ) from None
    check_sigmas(sigmas)
    return sigmas


def check_sigmas(sigmas: tuple[float, ...]) -> None:
    """Raise `ScheduleError` unless `sigmas` fall strictly and end in 0."""
    falls = all(high > low for high, low in pairwise(sigmas))
    finite = all(0 <= sigma < float("inf") for sigma in sigmas)
    if len(sigmas) < 2 or not falls or not finite or sigmas[-1] != 0:
        raise ScheduleError(
            "custom sigmas must fall from each to the next, and end in 0.",
            way_out="Write for instance '14.6, 6.5, 2.9, 1.2, 0.4, 0'.",
        )
