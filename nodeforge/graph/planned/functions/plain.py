"""Values as they are."""

from __future__ import annotations

from typing import NamedTuple


class Boolean(NamedTuple):
    """One truth value."""

    value: bool


class Integer(NamedTuple):
    """One whole number."""

    value: int


class Float(NamedTuple):
    """One decimal number."""

    value: float


class Text(NamedTuple):
    """One text."""

    value: str


def boolean(value: bool) -> Boolean:
    return Boolean(value)


def integer(value: int) -> Integer:
    return Integer(value)


def decimal(value: float) -> Float:
    return Float(value)


def text(value: str) -> Text:
    return Text(value)
