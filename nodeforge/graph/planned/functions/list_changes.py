"""Lists made from whole lists."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodeforge.graph.planned.draws import Draws
from nodeforge.graph.planned.functions.lists import MOST, ListError
from nodeforge.graph.planned.functions.texts import Length


class One(NamedTuple):
    """One value."""

    value: Any


class Several(NamedTuple):
    """Values, and how many."""

    value: list[Any]
    length: int


def choose(values: list[Any], index: int) -> One:
    """The value at `index`, counted from 0; from -1 back from the end.

    Raises:
        ListError: there are fewer values.
    """
    if not -len(values) <= index < len(values):
        raise ListError(
            f"there is no value {index}: there are {len(values)}.",
            place="port 'index'",
            way_out="Values count from 0; -1 is the last.",
        )
    return One(values[index])


def part(values: list[Any], start: int, count: int, step: int) -> Several:
    """`count` values from `start` on, each `step`-th; a count of 0 takes all.

    Raises:
        ListError: nothing is left.
    """
    found = values[start::step][: count or None]
    if not found:
        raise ListError(
            f"nothing is left: there are {len(values)} values, and it starts at {start}.",
            place="port 'start'",
            way_out="Values count from 0; -1 is the last.",
        )
    return Several(found, len(found))


def length(values: list[Any]) -> Length:
    """How many values there are."""
    return Length(len(values))


def repeat(values: list[Any], times: int, order: str) -> Several:
    """The list `times` times: as a whole, or each value by itself.

    Raises:
        ListError: there would be too many values.
    """
    if len(values) * times > MOST:
        raise ListError(
            f"{len(values)} values {times} times are more than {MOST:,}.",
            place="port 'times'",
            way_out="Repeat them less often.",
        )
    each = order == "each value"
    found = [value for value in values for _ in range(times)] if each else values * times
    return Several(found, len(found))


def shuffle(values: list[Any], seed: int) -> Several:
    """The values in another order, which `seed` says."""
    return Several([values[place] for place in Draws(seed).shuffled(len(values))], len(values))
