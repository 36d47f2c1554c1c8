"""Numbers and texts."""

from typing import Annotated, NamedTuple

from nodeforge.api import Multiline, Seed, node


class Integer(NamedTuple):
    """One whole number."""

    value: int


class Float(NamedTuple):
    """One decimal number."""

    value: float


class Text(NamedTuple):
    """One text."""

    value: str


@node("values.integer")
def integer(value: int = 0) -> Integer:
    """Give a whole number to several nodes.

    Args:
        value: The number.

    Returns:
        value: The number.
    """
    return Integer(value)


@node("values.float", title="Decimal")
def decimal(value: float = 0.0) -> Float:
    """Give a decimal number to several nodes.

    Args:
        value: The number.

    Returns:
        value: The number.
    """
    return Float(value)


@node("values.text")
def text(value: Annotated[str, Multiline()] = "") -> Text:
    """Give a text to several nodes.

    Args:
        value: The text.

    Returns:
        value: The text.
    """
    return Text(value)


@node("values.seed")
def seed(value: Annotated[int, Seed()] = 0) -> Integer:
    """Give one seed to several nodes.

    Args:
        value: The seed.

    Returns:
        value: The seed.
    """
    return Integer(value)
