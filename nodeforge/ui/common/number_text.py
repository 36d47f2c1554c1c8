"""Numbers in words, and what is said of one that is out of its range."""

from __future__ import annotations

import math
from collections.abc import Callable


def format_number(value: float) -> str:
    """Format a number with up to six decimals, or digits where it is tiny, without trailing zeros.

    Nodes, inspector and messages write a number alike: ``5`` for 5.0.
    """
    if isinstance(value, int):
        return str(value)
    if 0 < abs(value) < 1e-4 or abs(value) >= 1e15 or not math.isfinite(value):
        return f"{value:.6g}"
    return f"{value:.6f}".rstrip("0").rstrip(".")


def format_percent(share: float) -> str:
    """Format a share: ``43 %`` for 0.43."""
    return f"{format_number(round(share * 100, 4))} %"


def out_of_range(
    value: float,
    low: float | None,
    high: float | None,
    text: Callable[[float], str] = format_number,
) -> str:
    """What is said of a number that is cut to its range; empty where it is inside.

    Args:
        text: Formats the numbers.
    """
    if low is not None and value < low:
        return f"{text(value)} is less than {text(low)}, which was set instead."
    if high is not None and value > high:
        return f"{text(value)} is more than {text(high)}, which was set instead."
    return ""
