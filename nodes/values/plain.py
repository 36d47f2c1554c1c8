"""Numbers and texts."""

from typing import Annotated

from nodeforge.api import Multiline, Seed, node
from nodeforge.graph.planned.functions import plain
from nodeforge.graph.planned.functions.plain import Boolean, Float, Integer, Text


@node("values.integer", planned=True)
def integer(value: int = 0) -> Integer:
    """Give a whole number to several nodes.

    Args:
        value: The number.

    Returns:
        value: The number.
    """
    return plain.integer(value)


@node("values.float", title="Decimal", planned=True)
def decimal(value: float = 0.0) -> Float:
    """Give a decimal number to several nodes.

    Args:
        value: The number.

    Returns:
        value: The number.
    """
    return plain.decimal(value)


@node("values.boolean", title="On or off", planned=True)
def boolean(value: bool = False) -> Boolean:
    """Give a setting that is on or off to several nodes.

    Args:
        value: On or off.

    Returns:
        value: On or off; as a number 1 or 0.
    """
    return plain.boolean(value)


@node("values.text", planned=True)
def text(value: Annotated[str, Multiline()] = "") -> Text:
    """Give a text to several nodes.

    Args:
        value: The text.

    Returns:
        value: The text.
    """
    return plain.text(value)


@node("values.seed", planned=True)
def seed(value: Annotated[int, Seed()] = 0) -> Integer:
    """Give one seed to several nodes.

    Args:
        value: The seed.

    Returns:
        value: The seed.
    """
    return plain.integer(value)
