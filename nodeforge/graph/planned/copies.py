"""The copies of a node behind a list: one for each value, or each combination of several lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from nodeforge.graph.model import Output

_MARK = "#"


def copy_id(path: str, number: int, of: int) -> str:
    """The id of copy `number`, from 1: ``group/denoise#3:24``; alone it is the node's path."""
    return path if of == 1 else f"{path}{_MARK}{number}:{of}"


def original(copy: str) -> str:
    """The path of the node that `copy` is a copy of."""
    return copy.partition(_MARK)[0]


def number_of(copy: str) -> tuple[int, int]:
    """Which copy of a node it is, counted from 1, and of how many; 1 and 1 for one alone."""
    number, _, of = copy.partition(_MARK)[2].partition(_MARK)[0].partition(":")
    return (int(number), int(of)) if number.isdigit() and of.isdigit() else (1, 1)


@dataclass(frozen=True, eq=False)
class Axis:
    """The values of one list.

    Args:
        node: The node that gives the list.
        outer: The lists on which it hangs itself, all of them.
        places: For each of its values, the places along those lists.
    """

    node: str
    outer: tuple[Axis, ...]
    places: tuple[tuple[int, ...], ...]


Places = dict[Axis, int]
"""A place along each of several lists."""


class Known(NamedTuple):
    """A plain value that is known while planning."""

    value: Any


class Lost:
    """What a muted branch gives."""


LOST = Lost()


class Collected(NamedTuple):
    """All values of a list, in its order."""

    items: list[Any]


Item = Output | Known | Lost | Collected


@dataclass(frozen=True)
class Spread:
    """What an output gives: one item for each place along its axes."""

    axes: tuple[Axis, ...] = ()
    items: dict[tuple[int, ...], Item] = field(default_factory=dict)

    def at(self, places: Places) -> Item:
        """What it gives at `places`, which name its axes and perhaps others."""
        return self.items[tuple(places[axis] for axis in self.axes)]


def joined(axes: Iterable[Axis]) -> tuple[Axis, ...]:
    """Each axis once, without those that another one hangs on: its values tell theirs."""
    found = dict.fromkeys(axes)
    outer = {each for axis in found for each in axis.outer}
    return tuple(axis for axis in found if axis not in outer)


def places_along(axes: tuple[Axis, ...]) -> Iterator[Places]:
    """Every combination of the values of `axes`, the last changing fastest.

    Values of two lists that hang on a third are combined where they have the same value of it.
    """
    for picks in product(*(range(len(axis.places)) for axis in axes)):
        found: Places = dict(zip(axes, picks, strict=True))
        if all(_add_outer(found, axis, pick) for axis, pick in zip(axes, picks, strict=True)):
            yield found


def _add_outer(found: Places, axis: Axis, pick: int) -> bool:
    """Note the places along the outer lists; False where they contradict what is noted."""
    outer = zip(axis.outer, axis.places[pick], strict=True)
    return all(found.setdefault(each, place) == place for each, place in outer)
