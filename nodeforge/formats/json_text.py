"""JSON text as we read and write it: strict and bounded in, sorted and line by line out."""

from __future__ import annotations

import codecs
import json
from typing import Any, NoReturn

from nodeforge.formats.errors import (
    DuplicateKeyError,
    NotJsonError,
    OtherKindError,
    TooLargeError,
    TruncatedError,
    WrongShapeError,
)
from nodeforge.values.file_kinds import JSON, START, file_kind

MAX_BYTES = 8 * 2**20
MAX_FOREIGN_BYTES = 32 * 2**20
"""Of other programs' files: ComfyUI's hold pictures and previews."""
MAX_VALUES = 3_000_000
"""Lists, objects and what is in them, counted by their punctuation."""
MAX_DEPTH = 200


def parse(text: bytes | str, *, foreign: bool = False, most: int = MAX_BYTES) -> Any:
    """The value that `text` holds.

    Args:
        text: What to read.
        foreign: Other programs wrote it: a number that is none becomes null, of a key named twice
            the last counts, half a character becomes a question mark, and it may be longer.
        most: Bytes of a text of ours.

    Raises:
        WorkflowError: it is not JSON, is cut short, names a key twice, has a number that is none
            (NaN, infinity), half a character, or passes a bound.
    """
    most = MAX_FOREIGN_BYTES if foreign else most
    if len(text) > most:
        raise TooLargeError(f"is larger than {most // 2**20} MiB.")
    if isinstance(text, bytes):
        if (kind := file_kind(text[:START])) and kind != JSON:
            raise OtherKindError(kind)
        text = _decode(text)
    if sum(map(text.count, "[{,")) > MAX_VALUES:
        raise TooLargeError(f"has more than {MAX_VALUES:,} values.")
    try:
        value = (_FOREIGN if foreign else _DECODER).decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(error) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python refuses to read a number of thousands of digits
        raise TooLargeError("has a number of too many digits.") from None
    check_depth(value)
    if "\\ud" in text or "\\uD" in text:
        if foreign:
            return _FOREIGN.decode(_encode(value).encode("utf-8", "replace").decode("utf-8"))
        _check_characters(value)
    return value


def check_depth(value: Any, limit: int = MAX_DEPTH) -> None:
    """Raise `TooLargeError` where lists and objects are nested deeper than `limit`."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise _too_deep()


def dump(value: Any) -> str:
    """`value` with sorted keys, an entry a line; lists without objects stay on one line."""
    lines: list[str] = []
    _write(value, "", "", "", lines)
    return "\n".join(lines) + "\n"


def _write(value: Any, indent: str, before: str, after: str, lines: list[str]) -> None:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines.append(f"{indent}{before}{{")
        last = len(value) - 1
        for place, key in enumerate(sorted(value)):
            comma = "," if place < last else ""
            item = value[key]
            if (isinstance(item, dict) and item) or (isinstance(item, list) and _is_tall(item)):
                _write(item, inner, f"{_encode(key)}: ", comma, lines)
            else:
                lines.append(f"{inner}{_encode(key)}: {_encode(item)}{comma}")
        lines.append(f"{indent}}}{after}")
    elif isinstance(value, list) and _is_tall(value):
        lines.append(f"{indent}{before}[")
        last = len(value) - 1
        for place, item in enumerate(value):
            _write(item, inner, "", "," if place < last else "", lines)
        lines.append(f"{indent}]{after}")
    else:
        lines.append(f"{indent}{before}{_encode(value)}{after}")


def _is_tall(items: list[Any]) -> bool:
    return any(isinstance(item, dict) and item for item in items)


def _decode(text: bytes) -> str:
    try:
        if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return text.decode("utf-16")  # as PowerShell redirects output
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        if error.end == len(text) and error.reason == "unexpected end of data":
            raise TruncatedError(line, column) from None
        raise NotJsonError("it is not text in UTF-8", line, column) from None


def _not_json(error: json.JSONDecodeError) -> NotJsonError:
    if _is_cut(error.msg, error.doc[error.pos : error.pos + 20].strip()):
        return TruncatedError(error.lineno, error.colno)
    return NotJsonError(error.msg[:1].lower() + error.msg[1:], error.lineno, error.colno)


def _is_cut(message: str, rest: str) -> bool:
    """Whether all that is wrong with `rest` is that it ends."""
    return (
        any(word.startswith(rest) for word in ("true", "false", "null", "-"))
        or rest in (".", "e", "E", "e-", "e+", "E-", "E+")
        or message.startswith("Unterminated string")
        or (message.startswith("Invalid \\") and len(rest) < 6)
    )


def _too_deep() -> TooLargeError:
    return TooLargeError(f"is nested deeper than {MAX_DEPTH} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        raise DuplicateKeyError(next(k for k, _ in pairs if k in seen or seen.add(k)))
    return made


def _no_number(name: str) -> NoReturn:
    raise WrongShapeError(f"has {name}, which is no number in JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise WrongShapeError(f"has a number that is too large: {digits[:40]}.")
    return number


def _number_or_none(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) != float("inf") else None


def _check_characters(value: Any) -> None:
    try:
        _encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise WrongShapeError("has half of a character (a lone surrogate).") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_number, parse_float=_finite
)
_FOREIGN = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_number_or_none)
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True).encode
