"""Values of the settings file, each checked by itself: one of a wrong kind costs itself alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

_LONGEST_NAME = 255
"""Bytes of one name, on the file systems of today."""
_LARGEST_NUMBER = 2**63 - 1


class _WrongKindError(Exception):
    """A value is not of the kind that its setting has."""


def checked_values(
    raw: Mapping[str, Any], kinds: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The values in `raw` that are of the right kind, and a sentence for each that is not.

    Of a list, and of a table by name, each wrong entry is left out by itself.

    Args:
        raw: Values by setting, as JSON gives them.
        kinds: The type of each setting; what `raw` holds besides is not looked at.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name in kinds.keys() & raw.keys():
        given, origin = raw[name], get_origin(kinds[name])
        try:
            if origin is tuple and isinstance(given, list):
                entries = [(f"{name}[{i}]", each) for i, each in enumerate(given)]
                kind = get_args(kinds[name])[0]
                values[name] = tuple(v for _, v in _right_ones(entries, kind, problems))
            elif origin is dict and isinstance(given, dict):
                entries = [(f"{name}.{key}", each) for key, each in given.items()]
                kind = get_args(kinds[name])[1]
                right = _right_ones(entries, kind, problems)
                values[name] = {place.removeprefix(f"{name}."): value for place, value in right}
            else:
                values[name] = _converted(given, kinds[name])
        except _WrongKindError as error:
            problems.append(f"'{name}' {error}: the default is used.")
    return values, sorted(problems)


def _right_ones(
    entries: list[tuple[str, Any]], kind: Any, problems: list[str]
) -> Iterator[tuple[str, Any]]:
    for place, given in entries:
        try:
            yield place, _converted(given, kind)
        except _WrongKindError as error:
            problems.append(f"'{place[:80]}' {error}: it is left out.")


def _converted(given: Any, kind: Any) -> Any:
    import msgspec  # only when needed: most homes have no settings

    try:
        made = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        fact, _, place = str(error).replace("`", "'").partition(" - at '$")
        inner = place.strip("'.")
        named = f" in '{inner}'" if inner else ""
        raise _WrongKindError(f"is wrong{named} ({fact[:1].lower()}{fact[1:]})") from None
    except UnicodeEncodeError:
        raise _WrongKindError("holds half a character") from None
    if type(made) is int and not 0 <= made <= _LARGEST_NUMBER:
        raise _WrongKindError("is out of range")
    _check_texts(given)
    return made


def _check_texts(value: Any) -> None:
    """Refuse texts that no system can take for the name of a folder."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as inner:
                waiting += inner.values()
            case list() as inner:
                waiting += inner
            case str() as text:
                _check_text(text)
            case _:
                pass


def _check_text(text: str) -> None:
    try:
        longest = max(len(os.fsencode(part)) for part in text.split("/"))
    except UnicodeEncodeError:
        raise _WrongKindError("holds half a character") from None
    if "\0" in text:
        raise _WrongKindError("holds a zero byte")
    if longest > _LONGEST_NAME:
        raise _WrongKindError("has a name of too many letters")
