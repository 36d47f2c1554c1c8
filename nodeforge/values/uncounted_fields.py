"""Fields of values that are in no key, or in keys only where they say something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

UNCOUNTED = "uncounted"
"""The key of a dataclass field's metadata that says why the field is in no key."""

_IF_NOT = "counted if not"


def uncounted(reason: str) -> Mapping[str, str]:
    """Metadata of a dataclass field that changes no numbers.

    >>> path: str = field(metadata=uncounted("where the file lies"))
    """
    return {UNCOUNTED: reason}


def counted_if_not(default: object) -> Mapping[str, object]:
    """Metadata of a dataclass field that was added later.

    A value that has the default keeps the key that it had before there was the field, so what is
    cached of it still counts.

    >>> frames: int | None = field(default=None, metadata=counted_if_not(None))
    """
    return {_IF_NOT: default}


def counted_fields(value: Any) -> list[str]:
    """Names of the fields of a dataclass's instance that are in keys."""
    return [
        each.name
        for each in fields(value)
        if UNCOUNTED not in each.metadata
        and not (_IF_NOT in each.metadata and getattr(value, each.name) == each.metadata[_IF_NOT])
    ]
