"""Numbers written in a line: ``10, 20, 30`` and ``FROM:TO:STEP``, in decimal arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, DecimalException

_MOST_DIGITS = 20
"""Before and after the point of a number in a range."""
_NUMBER = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*"
_is_number = re.compile(_NUMBER).fullmatch
is_range = re.compile(rf"({_NUMBER}):({_NUMBER}):({_NUMBER})").fullmatch
"""Matches ``FROM:TO:STEP``."""


class NumberListError(ValueError):
    """Numbers that cannot be read; `way_out` may say how they are written."""

    def __init__(self, fact: str, way_out: str = "") -> None:
        super().__init__(fact)
        self.way_out = way_out


def numbers_of(text: str, most: int) -> list[Decimal]:
    """The numbers of `text`, divided by commas, semicolons or new lines; ranges among them.

    Raises:
        NumberListError: something is no number, or there are more than `most`.
    """
    found: list[Decimal] = []
    for field in re.split(r"[,;\n]", text):
        if not field.strip():
            continue
        if match := is_range(field):
            some: Iterator[Decimal] = range_of(field, *match.groups())
        elif _is_number(field):
            some = iter([Decimal(field.strip())])
        else:
            raise NumberListError(
                f"'{field.strip()[:40]}' is no number", "Write 10, 20, 30 or FROM:TO:STEP."
            )
        for number in some:
            found.append(number)
            if len(found) > most:
                raise NumberListError(f"there are more than {most:,} numbers", "Take larger steps.")
    return found


def range_of(field: str, first: str, last: str, step: str) -> Iterator[Decimal]:
    """FROM, FROM + STEP, ... up to TO, in decimal arithmetic: 0.1:0.3:0.1 ends at 0.3.

    Raises:
        NumberListError: the range is empty, endless, or too wide to count.
    """
    start, end, by = (Decimal(part.strip()) for part in (first, last, step))
    if any(each and abs(each.adjusted()) > _MOST_DIGITS for each in (start, end, by)):
        raise NumberListError(f"the range '{field}' has numbers that are too large or too small")
    if not by:
        raise NumberListError(f"the range '{field}' has a step of 0", "Give FROM:TO:STEP.")
    try:
        count = int((end - start) / by) + 1
    except DecimalException:
        raise NumberListError(f"the range '{field}' cannot be counted") from None
    if (end - start) * by < 0:
        raise NumberListError(
            f"the range '{field}' holds no number: its step leads away from its end",
            "Turn FROM and TO round, or the sign of STEP.",
        )
    return (start + index * by for index in range(count))
