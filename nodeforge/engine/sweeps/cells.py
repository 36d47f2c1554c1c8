"""The fan-out: each combination of the axes' values is a cell, with a place in a grid.

First axis rows, second columns, further ones pages. Together (zip), the axes change as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from nodeforge.engine.sweeps.axes import (
    Axis,
    AxisError,
    AxisValue,
    fields_of,
    shortened,
    value_of,
)
from nodeforge.graph.assignments import AssignmentError, find_input
from nodeforge.graph.document import Document
from nodeforge.spec import Catalogue

MOST_CELLS = 2_000
"""Of one sweep."""


class CellValue(NamedTuple):
    """What one axis is in a cell."""

    axis: Axis
    text: str
    value: Any


@dataclass(frozen=True)
class Cell:
    """One combination of values.

    Args:
        number: Counted from 1, as a grid is read; those that are skipped are not counted.
        page: Counted from 0, as are `row` and `column`.
        row: Its place along the first axis.
        column: Its place along the second.
        values: One for each axis, in their order.
    """

    number: int
    page: int
    row: int
    column: int
    values: tuple[CellValue, ...]

    @property
    def settings(self) -> dict[str, str]:
        """The axes' names, to the values as they were written."""
        return {each.axis.name: each.text for each in self.values}


Skip = Callable[[Sequence[CellValue]], bool]
"""Whether a combination is left out."""


def fan_out(
    axes: Sequence[Axis], *, together: bool = False, skips: Sequence[tuple[str, Skip]] = ()
) -> list[Cell]:
    """The cells of `axes`, as a grid is read: page by page, row by row.

    Args:
        axes: One at least.
        together: The axes have equally many values and change as one.
        skips: What is left out, by how it was written.

    Raises:
        AxisError: there are too many cells, or none, axes that change together differ in length,
            two are of one input, or a skip fits no cell.
    """
    _check_targets(axes)
    lengths = [len(axis.values) for axis in axes]
    if together and len(set(lengths)) > 1:
        told = ", ".join(f"{a.name} has {len(a.values)}" for a in axes)
        raise AxisError(
            f"the axes differ in length: {told}.",
            place="--zip",
            way_out="Give each axis as many values, or leave out --zip.",
        )
    count = lengths[0] if together else math.prod(lengths)
    if count > MOST_CELLS:
        told = f"{count:,}" if together else f"{' × '.join(map(str, lengths))} = {count:,}"
        raise AxisError(
            f"{told} cells are more than {MOST_CELLS:,}.", place="--axis", way_out="Take fewer."
        )
    used = [0] * len(skips)
    cells: list[Cell] = []
    for page, row, column, picks in _places(lengths, together):
        values = tuple(
            CellValue(axis, *axis.values[pick]) for axis, pick in zip(axes, picks, strict=True)
        )
        fits = [skip(values) for _, skip in skips]
        used = [before + fit for before, fit in zip(used, fits, strict=True)]
        if not any(fits):
            cells.append(Cell(len(cells) + 1, page, row, column, values))
    for (text, _), times in zip(skips, used, strict=True):
        if not times:
            raise AxisError(
                "fits no cell.",
                place=f"--skip {shortened(text)}",
                way_out="Give values that the axes have, or leave it out.",
            )
    if not cells:
        raise AxisError("every cell is skipped.", place="--skip", way_out="Skip fewer.")
    return cells


def run_order(cells: Sequence[Cell]) -> list[Cell]:
    """The cells so that a model is loaded once, and not for each row anew."""

    def models_first(cell: Cell) -> tuple[int, ...]:
        return tuple(
            each.axis.values.index(AxisValue(each.text, each.value))
            for each in cell.values
            if each.axis.names_models
        )

    return sorted(cells, key=models_first)


def parse_skip(
    text: str, axes: Sequence[Axis], document: Document, catalogue: Catalogue
) -> tuple[str, Skip]:
    """What ``NODE.PORT=VALUE,...`` leaves out: the cells that have all of these values.

    Raises:
        AxisError: it names no axis, or a value that the input cannot have.
    """
    place = f"--skip {shortened(text)}"
    try:
        wanted = [_condition(each, axes, document, catalogue) for each in fields_of(text)]
        if not wanted:
            raise AxisError("has no condition.", way_out="Give NODE.PORT=VALUE of an axis.")
    except AssignmentError as error:
        raise AxisError(error.fact, place=place, way_out=error.way_out) from None
    except AxisError as error:
        raise error.at(place) from None

    def skip(values: Sequence[CellValue]) -> bool:
        found = {each.axis.target: each.value for each in values}
        return all(found[target] == value for target, value in wanted)

    return text, skip


def _condition(
    text: str, axes: Sequence[Axis], document: Document, catalogue: Catalogue
) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise AxisError(f"'{shortened(text)}' is not NODE.PORT=VALUE.")
    path, _, port = find_input(document, catalogue, name.strip())
    target = f"{path}.{port.name}"
    if target not in [axis.target for axis in axes]:
        raise AxisError(
            f"'{name.strip()}' is no axis.",
            way_out=f"The axes are: {', '.join(axis.name for axis in axes)}.",
        )
    return target, value_of(port, value)


def _check_targets(axes: Sequence[Axis]) -> None:
    if not axes:
        raise AxisError("there is no axis.", place="--axis", way_out="Give NODE.PORT=VALUES.")
    seen: dict[str, str] = {}
    for axis in axes:
        if axis.target in seen:
            raise AxisError(
                f"is of the same input as '{seen[axis.target]}'.",
                place=f"--axis {axis.name}",
                way_out="Give all its values to one axis.",
            )
        seen[axis.target] = axis.name


def _places(
    lengths: Sequence[int], together: bool
) -> Iterator[tuple[int, int, int, tuple[int, ...]]]:
    """Page, row, column, and for each axis which of its values."""
    if together:
        for index in range(lengths[0]):
            yield 0, index, 0, (index,) * len(lengths)
        return
    further = product(*map(range, lengths[2:]))
    for page, rest in enumerate(further):
        for picks in product(*map(range, lengths[:2])):
            row, column = (*picks, 0)[:2]
            yield page, row, column, (*picks, *rest)
