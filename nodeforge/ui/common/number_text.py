"""Numbers in words, and what is said of one that is out of its range."""

from __future__ import annotations

import math


def format_number(value: float) -> str:
    """Format a number with up to six decimals, or digits where it is tiny, without trailing zeros.

    Nodes, inspector and messages write a number alike: ``5`` for 5.0.
    """
    if isinstance(value, int):
        return str(value)
    if 0 < abs(value) < 1e-4 or abs(value) >= 1e15 or not math.isfinite(value):
        return f"{value:.6g}"
    return f"{value:.6f}".rstrip("0").rstrip(".")


def out_of_range(value: float, low: float | None, high: float | None) -> str:
    """What is said of a number that is cut to its range; empty where it is inside."""
    if low is not None and value < low:
        return f"{format_number(value)} is less than {format_number(low)}, which was set instead."
    if high is not None and value > high:
        return f"{format_number(value)} is more than {format_number(high)}, which was set instead."
    return ""
