"""Numbers in words, and what is said of one that is out of its range."""

from __future__ import annotations


def format_number(value: float) -> str:
    """Format a number with up to six decimals, without trailing zeros."""
    return str(value) if isinstance(value, int) else f"{value:.6f}".rstrip("0").rstrip(".")


def out_of_range(value: float, low: float | None, high: float | None) -> str:
    """What is said of a number that is cut to its range; empty where it is inside."""
    if low is not None and value < low:
        return f"{format_number(value)} is less than {format_number(low)}, which was set instead."
    if high is not None and value > high:
        return f"{format_number(value)} is more than {format_number(high)}, which was set instead."
    return ""
