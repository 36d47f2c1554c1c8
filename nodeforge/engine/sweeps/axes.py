"""The values that one input takes in turn: a list, ``FROM:TO:STEP`` or ``@FILE``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from nodeforge.errors import RequestError
from nodeforge.graph.assignments import AssignmentError, check_allowed, find_input, parse_value
from nodeforge.graph.document import Document
from nodeforge.spec import (
    FLOAT,
    INTEGER,
    Catalogue,
    FileWidget,
    ModelFileWidget,
    PortSpec,
    TextWidget,
)
from nodeforge.spec.number_lists import NumberListError, is_range, range_of

MOST_VALUES = 10_000
"""Of one axis."""
_MOST_BYTES = 16 * 2**20
"""Of a file of values."""


class AxisError(RequestError):
    """An axis that cannot be used."""


class AxisValue(NamedTuple):
    """A value as it was written, and as the workflow has it; of files both are the text."""

    text: str
    value: Any


@dataclass(frozen=True)
class Axis:
    """An input and the values that it takes.

    Args:
        name: As it was written: ``Prompt.text``.
        path: The node's path.
        port: The input.
        values: In their order, one at least.
        names_models: Whether the values are models, which are loaded one after another.
    """

    name: str
    path: str
    port: str
    values: tuple[AxisValue, ...]
    names_models: bool = False

    @property
    def target(self) -> str:
        """The input as ``path.port``."""
        return f"{self.path}.{self.port}"


def parse_axis(text: str, document: Document, catalogue: Catalogue) -> Axis:
    """The axis that `text` describes, as ``NODE.PORT=VALUES``.

    Args:
        text: VALUES are in CSV quoting, with ``FROM:TO:STEP`` for numbers, both ends included; or
            ``@FILE`` for a file of UTF-8 with a value in each line that is not blank.
        document: The workflow.
        catalogue: Declares the ports.

    Raises:
        AxisError: there is no such input, a value does not fit, or there is none.
    """
    place = f"--axis {shortened(text)}"
    name, equals, given = text.partition("=")
    if not equals:
        raise AxisError(
            "is not NODE.PORT=VALUES.", place=place, way_out="For example schedule.steps=10,20,30."
        )
    return _made(place, name.strip(), partial(_texts, given), document, catalogue)


def axis_of_lines(name: str, lines: str, document: Document, catalogue: Catalogue) -> Axis:
    """The axis of the input `name` whose values were written in a field of several lines.

    Args:
        name: ``NODE.PORT``.
        lines: Of a text, a value a line that is not blank; of others, as `parse_axis` has them,
            where a new line is as good as a comma.
        document: The workflow.
        catalogue: Declares the ports.

    Raises:
        AxisError: as `parse_axis`.
    """

    def texts(port: PortSpec) -> Iterator[str]:
        if isinstance(port.widget, TextWidget):
            return (line.strip() for line in lines.splitlines() if line.strip())
        given = ",".join(line.strip().strip(",") for line in lines.splitlines() if line.strip())
        return _texts(given, port)

    return _made(name, name, texts, document, catalogue)


def _made(
    place: str,
    name: str,
    of_port: Callable[[PortSpec], Iterator[str]],
    document: Document,
    catalogue: Catalogue,
) -> Axis:
    try:
        path, _, port = find_input(document, catalogue, name)
        texts = list(islice(of_port(port), MOST_VALUES + 1))
        if not texts:
            raise AxisError("has no values.", way_out="Give one at least, as NODE.PORT=VALUE.")
        if len(texts) > MOST_VALUES:
            raise AxisError(
                f"has more than {MOST_VALUES:,} values.", way_out="Take larger steps, or fewer."
            )
        values = tuple(AxisValue(each, value_of(port, each)) for each in texts)
    except AssignmentError as error:
        raise AxisError(error.fact, place=place, way_out=error.way_out) from None
    except AxisError as error:
        raise error.at(place) from None
    return Axis(name, path, port.name, values, isinstance(port.widget, ModelFileWidget))


def value_of(port: PortSpec, text: str) -> Any:
    """What `text` means for `port`; of a file, the text.

    Raises:
        AssignmentError: it is none that the input allows.
    """
    if isinstance(port.widget, FileWidget | ModelFileWidget):
        return text
    value = parse_value(port, text)
    check_allowed(port, value)
    return value


def fields_of(text: str) -> list[str]:
    """The fields of a text in CSV quoting.

    Raises:
        AxisError: a quote is not closed.
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise AxisError(
            f"is no list in CSV quoting: {error}.",
            way_out='Quote a value that has commas, as "a fox, red"; a quote inside is written "".',
        ) from None
    return [field for row in rows for field in row]


def shortened(text: str, most: int = 60) -> str:
    """`text` on one line of a message."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _texts(given: str, port: PortSpec) -> Iterator[str]:
    if given.startswith("@"):
        yield from _lines(Path(given[1:]))
        return
    is_number = port.type in (INTEGER, FLOAT)
    is_text = not is_number and not isinstance(port.widget, FileWidget | ModelFileWidget)
    for field in fields_of(given):
        if is_number and (found := is_range(field)):
            yield from _numbers(field, *found.groups())
        elif field.strip() or (is_text and '"' in given):
            yield field.strip() if is_number else field
        else:
            raise AxisError(
                "has an empty value.", way_out='Leave out the comma, or write "" for an empty text.'
            )


def _numbers(field: str, *parts: str) -> Iterator[str]:
    """The numbers of a range, as they are written."""
    try:
        for number in range_of(field, *parts):
            text = format(number, "f")
            yield (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
    except NumberListError as error:
        raise AxisError(f"{error}.", way_out=error.way_out) from None


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise AxisError(f"the file '{path}' has more than {_MOST_BYTES >> 20} MiB.")
        text = data.decode("utf-8-sig")
    except (OSError, RuntimeError, ValueError) as error:
        raise AxisError(
            f"the file '{path}' cannot be read: {_reason(error)}.",
            way_out="Give a text file in UTF-8 with one value a line.",
        ) from None
    lines = [line.strip() for line in text.splitlines()]
    return (line for line in lines if line)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    return str(getattr(error, "strerror", None) or error)
