"""Texts from texts."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any, NamedTuple

from nodeforge.errors import RequestError
from nodeforge.graph.planned.functions.plain import Text

MOST_CHARACTERS = 1_000_000
"""Of a text that is made of others."""
_SECONDS = 1.0
"""Of processor time for one regular expression."""
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}
_FORMAT = re.compile(r"[<>^]?[+]?0?\d{0,2},?(?:\.\d{1,2})?[defgs%]?")


class TextError(RequestError):
    """A text that cannot be made."""


class Holds(NamedTuple):
    """Whether a comparison holds."""

    holds: bool


class Length(NamedTuple):
    """How long something is."""

    length: int


def join(parts: list[Any], separator: str, skip_empty: bool) -> Text:
    r"""`parts` with `separator` between them, in which ``\n`` is a new line and ``\t`` a tab."""
    between = re.sub(r"\\[nt\\]", lambda found: _ESCAPES[found[0]], separator)
    texts = [text_of(each) for each in parts]
    return Text(_bounded(between.join(text for text in texts if text or not skip_empty)))


def replace(text: str, find: str, replacement: str, regular: bool, ignore_case: bool) -> Text:
    r"""`text` with `replacement` for each `find`; a regular one may name groups: ``\1``.

    The package `regex` computes it and stops after a second of processor time, so that a pattern
    that tries without end is refused.

    Raises:
        TextError: it is no regular expression, takes too long, or the result is too long.
    """
    import regex  # only here: most workflows need none

    if not find:
        return Text(text)
    pattern = find if regular else regex.escape(find, literal_spaces=True)
    given = replacement if regular else replacement.replace("\\", "\\\\")
    try:
        compiled = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
        length = 0

        def made(match: Any) -> str:
            nonlocal length
            some = match.expand(given)
            length += len(some)
            if length > MOST_CHARACTERS:
                _bounded(some, length)
            return some

        return Text(_bounded(compiled.sub(made, text, timeout=_SECONDS)))
    except regex.error as error:
        raise TextError(
            f"'{find[:60]}' is no regular expression: {error}.",
            place="port 'find'",
            way_out="Mend it, or switch 'regular' off to look for it as it stands.",
        ) from None
    except (IndexError, KeyError):
        raise TextError(
            f"'{replacement[:60]}' names a group that '{find[:60]}' does not have.",
            place="port 'replacement'",
            way_out="Name groups by \\1, \\2, or \\g<name>.",
        ) from None
    except (TimeoutError, MemoryError, RecursionError, OverflowError):
        raise TextError(
            f"'{find[:60]}' takes more than {_SECONDS:g} s on this text.",
            place="port 'find'",
            way_out="Write it with fewer repetitions in one another, such as (a+)+.",
        ) from None


def format_fields(template: str, names: str, values: list[Any] | None = None) -> Text:
    """`template` with ``{name}`` replaced by the value of that name.

    Raises:
        TextError: a field has no value, or is written in a way that is not read.
    """
    known = _named(names, values or [])
    made: list[str] = []
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise TextError(
            f"the brackets do not fit: {error}.",
            place="port 'template'",
            way_out="Write {name}; a bracket that is meant as one is doubled: {{.",
        ) from None
    for plain, field, form, conversion in fields:
        made.append(plain)
        if field is None:
            continue
        name = field.strip()
        if name not in known:
            told = ", ".join(known) or "none"
            raise TextError(
                f"there is no field '{name}'; there are: {told}.",
                place="port 'template'",
                way_out="Add it to 'names' and link its value, or write {{ for a bracket.",
            )
        made.append(_formatted(name, known[name], form or "", conversion))
    return Text(_bounded("".join(made)))


def compare(first: str, second: str, operator: str, ignore_case: bool) -> Holds:
    """Whether `first` stands to `second` as `operator` says; texts are ordered by code points."""
    if ignore_case:
        first, second = first.casefold(), second.casefold()
    match operator:
        case "contains":
            return Holds(second in first)
        case "starts with":
            return Holds(first.startswith(second))
        case "ends with":
            return Holds(first.endswith(second))
        case _:
            return Holds(ordered(first, second, operator))


def ordered(first: Any, second: Any, operator: str) -> bool:
    """Whether ``first operator second`` holds."""
    return {
        "=": first == second,
        "≠": first != second,
        "<": first < second,
        "≤": first <= second,
        ">": first > second,
        "≥": first >= second,
    }[operator]


def length(text: str) -> Length:
    """The number of characters."""
    return Length(len(text))


def text_of(value: Any) -> str:
    """A value in words: whole decimal numbers without a point, on and off as true and false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _named(names: str, values: list[Any]) -> dict[str, Any]:
    """`values` by `names`; those without a name by their place, counted from 1."""
    told = [name.strip() for name in re.split(r"[,\n]", names) if name.strip()]
    for name in told:
        if not re.fullmatch(r"[^\W\d][\w -]*", name) or told.count(name) > 1:
            fact = "stands twice" if told.count(name) > 1 else "is no name of a field"
            raise TextError(
                f"'{name[:40]}' {fact}.",
                place="port 'names'",
                way_out="Write words with commas between them: subject, place.",
            )
    numbered = {str(place): value for place, value in enumerate(values, 1)}
    return dict(zip(told, values, strict=False)) | numbered


def _formatted(name: str, value: Any, form: str, conversion: str | None) -> str:
    if conversion is not None or not _FORMAT.fullmatch(form):
        raise TextError(
            f"the field '{name}' has a format that is not read: '{form or conversion}'.",
            place="port 'template'",
            way_out="Write {name}, {number:03} or {number:.2f}.",
        )
    if not form:
        return text_of(value)
    try:
        return format(value, form)
    except ValueError:
        raise TextError(
            f"the field '{name}' is {value!r}, which '{form}' does not fit.",
            place="port 'template'",
            way_out="Formats as 03 and .2f are for numbers.",
        ) from None


def _bounded(text: str, length: int | None = None) -> str:
    if max(len(text), length or 0) > MOST_CHARACTERS:
        raise TextError(
            f"the text has more than {MOST_CHARACTERS:,} characters.", way_out="Take shorter ones."
        )
    return text
