"""Fields of values that are in no key."""

from __future__ import annotations

from collections.abc import Mapping

UNCOUNTED = "uncounted"
"""The key of a dataclass field's metadata that says why the field is in no key."""


def uncounted(reason: str) -> Mapping[str, str]:
    """Metadata of a dataclass field that changes no numbers.

    >>> path: str = field(metadata=uncounted("where the file lies"))
    """
    return {UNCOUNTED: reason}
