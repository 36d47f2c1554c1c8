"""What a check says of the cells of a sweep: each finding once, and of which cells it is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nodeforge.engine.sweeps.cells import Cell


@dataclass
class Finding:
    """Something that is wrong with some of the cells.

    Args:
        text: What it is.
        is_error: Whether such a cell cannot be run.
        cells: The numbers of the cells, in the order in which they were looked at.
    """

    text: str
    is_error: bool
    cells: list[int] = field(default_factory=list)


class Findings:
    """Collects findings of cells."""

    def __init__(self) -> None:
        self._by_text: dict[str, Finding] = {}
        self.looked_at = 0
        """How many cells were looked at."""

    def add(self, number: int, told: Iterable[tuple[str, bool]]) -> None:
        """Add what is said of a cell: texts, and whether each is an error."""
        self.looked_at += 1
        for text, is_error in told:
            self._by_text.setdefault(text, Finding(text, is_error)).cells.append(number)

    def __iter__(self) -> Iterator[Finding]:
        """Errors first, else in the order in which they were found."""
        return iter(sorted(self._by_text.values(), key=lambda each: not each.is_error))

    @property
    def has_errors(self) -> bool:
        return any(each.is_error for each in self._by_text.values())

    def is_of_all(self, finding: Finding) -> bool:
        """Whether a finding is true of every cell that was looked at."""
        return len(finding.cells) == self.looked_at


def values_in_common(numbers: Sequence[int], cells: Mapping[int, Cell]) -> dict[str, list[str]]:
    """Which values tell some cells from the others, by the name of the axis.

    Args:
        numbers: Those cells.
        cells: All cells, by number.

    Returns:
        The values that the cells have, of axes of which they do not have all. Where the cells are
        not all with these values, those of the first one.
    """
    mine = [cells[number].settings for number in numbers]
    every = _values(cell.settings for cell in cells.values())
    found = {
        name: values for name, values in _values(mine).items() if len(values) < len(every[name])
    }
    with_these = sum(
        all(cell.settings[name] in values for name, values in found.items())
        for cell in cells.values()
    )
    if with_these == len(mine):
        return found
    return {name: [value] for name, value in mine[0].items()}


def _values(settings: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for each in settings:
        for name, value in each.items():
            found.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in found.items()}


def axes_first(cells: Sequence[Cell]) -> list[Cell]:
    """The cells so that every value of every axis is among the first.

    What is wrong with one value is so found after as many cells as there are values, and not after
    their product.
    """
    seen: set[tuple[str, str]] = set()
    first, last = [], []
    for cell in cells:
        pairs = set(cell.settings.items())
        (last if pairs <= seen else first).append(cell)
        seen |= pairs
    return [*first, *last]
