"""Lists of values; what is behind one is computed once for each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from nodeforge.errors import RequestError
from nodeforge.spec.number_lists import NumberListError, numbers_of

MOST = 10_000
"""Values of one list."""


class ListError(RequestError):
    """A list that cannot be made."""


class Texts(NamedTuple):
    """Texts, and how many."""

    text: list[str]
    length: int


class Numbers(NamedTuple):
    """Numbers in both forms, and how many."""

    number: list[float]
    whole: list[int]
    length: int


class Seeds(NamedTuple):
    """Seeds, and how many."""

    seed: list[int]
    length: int


class Zipped(NamedTuple):
    """Values of several lists, place by place."""

    first: list[Any]
    second: list[Any]
    third: list[Any]
    fourth: list[Any]
    length: int


def texts(lines: str) -> Texts:
    """Each line that is not blank, without the spaces around it."""
    found = [line.strip() for line in lines.splitlines() if line.strip()]
    return Texts(found, len(found))


def numbers(values: str) -> Numbers:
    """The numbers that `values` names: ``10, 20, 30`` or ``FROM:TO:STEP``, both ends included.

    Raises:
        ListError: something is no number, or a range has no end.
    """
    try:
        found = numbers_of(values, MOST)
    except NumberListError as error:
        raise ListError(f"{error}.", place="port 'values'", way_out=error.way_out) from None
    return Numbers([float(each) for each in found], [round(each) for each in found], len(found))


def seeds(seed: int, count: int) -> Seeds:
    """`seed`, and those after it."""
    return Seeds([(seed + each) % 2**63 for each in range(count)], count)


def zipped(
    first: list[Any],
    second: list[Any],
    lengths: str,
    third: list[Any] | None = None,
    fourth: list[Any] | None = None,
) -> Zipped:
    """The lists, as long as one another.

    Raises:
        ListError: their lengths differ, and are asked to be equal.
    """
    given = [each for each in (first, second, third, fourth) if each]
    sizes = [len(each) for each in given]
    if lengths == "equal" and len(set(sizes)) > 1:
        raise ListError(
            f"the lists have {', '.join(map(str, sizes[:-1]))} and {sizes[-1]} values.",
            way_out="Make them equally long, or choose 'shortest' or 'repeat' for lengths.",
        )
    count = (max if lengths == "repeat" else min)(sizes, default=0)
    made = [
        [each[place % len(each)] if each else None for place in range(count)]
        for each in (first, second, third or [], fourth or [])
    ]
    return Zipped(made[0], made[1], made[2], made[3], count)


def count(start: float, step: float, length: int) -> Numbers:
    """`length` numbers from `start` on, each `step` after the one before."""
    first, by = Decimal(repr(start)), Decimal(repr(step))
    found = [first + by * place for place in range(length)]
    return Numbers([float(each) for each in found], [round(each) for each in found], len(found))


def split(text: str, separator: str) -> Texts:
    """The parts of `text` between separators that are not blank, without the spaces around."""
    parts = text.split(separator) if separator else text.split()
    found = [part.strip() for part in parts if part.strip()]
    return Texts(found, len(found))
