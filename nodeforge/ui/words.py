"""Numbers as people say them."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes: ``312 MB``, ``4.1 GiB`` (binary units)."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def duration(seconds: float) -> str:
    """``0.3 s``, ``2 min 5 s``, ``1 h 3 min``; of whole numbers ``4 s``."""
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate(steps_per_second: float) -> str:
    """``1.9 it/s``, or ``3.2 s/it`` where a step takes longer than a second."""
    if steps_per_second >= 1:
        return f"{steps_per_second:.1f} it/s"
    return f"{1 / steps_per_second:.1f} s/it" if steps_per_second > 0 else ""


def plural(count: int, thing: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
