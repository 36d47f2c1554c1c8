"""Lists made from whole lists, and single values of them."""

from typing import Annotated, Any

from nodeforge.api import Choice, Range, Seed, node
from nodeforge.graph.planned.functions import list_changes
from nodeforge.graph.planned.functions.list_changes import One, Several
from nodeforge.graph.planned.functions.texts import Length


@node("lists.item", title="Item of list", planned=True)
def item(values: list[Any], index: int = 0) -> One:
    """Take one value of a list; what is behind is computed for it alone.

    Args:
        values: A list.
        index: Which value, counted from 0; -1 is the last.

    Returns:
        value: The value.
    """
    return list_changes.choose(values, index)


@node("lists.slice", title="Slice of list", planned=True)
def part(
    values: list[Any],
    start: int = 0,
    count: Annotated[int, Range(0, 10_000)] = 0,
    step: Annotated[int, Range(1, 10_000)] = 1,
) -> Several:
    """Take a part of a list.

    Args:
        values: A list, or several after one another.
        start: The first value, counted from 0; -1 is the last.
        count: How many values; 0 takes all up to the end.
        step: Each how manieth value is taken.

    Returns:
        value: The values that were taken.
        length: How many there are.
    """
    return list_changes.part(values, start, count, step)


@node("lists.length", title="Length of list", planned=True)
def length(values: list[Any]) -> Length:
    """Count the values of a list.

    Args:
        values: A list, or several after one another.

    Returns:
        length: How many there are.
    """
    return list_changes.length(values)


@node("lists.repeat", title="Repeat list", planned=True)
def repeat(
    values: list[Any],
    times: Annotated[int, Range(1, 10_000)] = 2,
    order: Annotated[str, Choice("whole list", "each value")] = "whole list",
) -> Several:
    """Take the values of a list several times.

    Args:
        values: A list, or several after one another.
        times: How often.
        order: Whether the whole list is repeated, or each value by itself.

    Returns:
        value: The values.
        length: How many there are.
    """
    return list_changes.repeat(values, times, order)


@node("lists.shuffle", title="Shuffle list", planned=True)
def shuffle(values: list[Any], seed: Annotated[int, Seed()] = 0) -> Several:
    """Put a list in another order; the same seed gives the same on every machine.

    Args:
        values: A list, or several after one another.
        seed: Says which order.

    Returns:
        value: The values.
        length: How many there are.
    """
    return list_changes.shuffle(values, seed)
