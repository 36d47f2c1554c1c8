"""Reads ``extra_model_paths.yaml``, in which ComfyUI's users name their folders."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nodeforge.errors import RequestError

_LIMIT = 2**18
"""Bytes of a file: it names folders."""


@dataclass(frozen=True)
class NamedFolder:
    """A folder under one of ComfyUI's names, as ``loras``; `default` ones are looked in first."""

    name: str
    path: Path
    default: bool


class ExtraPaths(NamedTuple):
    """What an ``extra_model_paths.yaml`` says.

    Args:
        folders: In its order.
        unread: What of it is not read, as sentences that name section and key.
    """

    folders: list[NamedFolder]
    unread: list[str]


def read_extra_paths(file: Path) -> ExtraPaths:
    """The folders that `file` names: a text, several lines, or a list for each key.

    Raises:
        RequestError: it cannot be read, or is not such a file.
    """
    import yaml  # only when needed: the command line starts faster

    from nodeforge.models.folders.bounded_yaml import read_yaml

    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise _unusable(file, "is no file")
        if found.st_size > _LIMIT:
            raise _unusable(file, f"is larger than {_LIMIT} bytes")
        document, told = read_yaml(file.read_bytes())
        twice = _named_twice(document)
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        tabs = " Indent it with spaces, not with tabs" if "'\\t'" in str(error) else ""
        raise _unusable(
            file, f"is not YAML: {' '.join(str(error).split())[:200]}.{tabs}"
        ) from error
    if told is None:
        return ExtraPaths([], [])
    if not isinstance(told, dict):
        raise _unusable(file, "does not hold folders by name")
    made = ExtraPaths([], twice)
    for section, part in told.items():
        if isinstance(part, dict):
            _read_section(made, file, str(section), part)
        elif part is not None:
            made.unread.append(f"'{section}' is {_kind(part)}, not a section with keys.")
    return made


def _read_section(made: ExtraPaths, file: Path, section: str, part: dict[Any, Any]) -> None:
    told = part.get("base_path")
    base = _path(told) if isinstance(told, str) else None
    if told is not None and base is None:
        fact = f"is {_kind(told)}" if not isinstance(told, str) else "is no path"
        made.unread.append(f"'{section}', 'base_path' {fact}: the section is not read.")
        return
    root = file.absolute().parent / (base or "")
    if base is not None and not root.is_dir():
        made.unread.append(f"'{section}', 'base_path': there is no folder {root}.")
    default = str(part.get("is_default")).lower() == "true"
    for key, value in part.items():
        if key in ("base_path", "is_default"):
            continue
        for line in _lines(value):
            path = _path(line) if isinstance(line, str) else None
            if path is None:
                made.unread.append(f"'{section}', '{key}': {_kind(line)} is no folder.")
            else:
                made.folders.append(NamedFolder(str(key), root / path, default))


def _lines(value: Any) -> Iterator[Any]:
    """The folders of one key: the lines of a text, or of each text of a list."""
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, str):
            yield each
            continue
        lines = (line.strip() for line in each.splitlines())
        yield from (line for line in lines if line and not line.startswith("#"))


def _path(text: str) -> Path | None:
    """A path of this system; None where it can be none."""
    if "\0" in text:
        return None
    try:
        path = Path(os.path.expandvars(text.replace("\\", "/"))).expanduser()
        path.is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, or of a user who is not there
        return None
    return path


def _kind(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{value[:80]}'"
    kinds = {dict: "a section", list: "a list", bool: "a truth value"}
    return next((word for kind, word in kinds.items() if isinstance(value, kind)), f"'{value}'")


def _named_twice(document: Any) -> list[str]:
    """Keys that stand twice in a section, of which YAML's reader keeps the last."""
    found = []
    sections = document.value if document is not None and isinstance(document.value, list) else []
    for pair in sections:
        inner = pair[1].value if isinstance(pair, tuple) else ()
        keys = [each[0].value for each in inner if isinstance(each, tuple)]
        for key, count in Counter(key for key in keys if isinstance(key, str)).items():
            if count == 1:
                continue
            found.append(f"'{pair[0].value}', '{key}' stands twice: the last one counts.")
    return found


def _unusable(file: Path, fact: str) -> RequestError:
    return RequestError(
        f"{fact}.", place=str(file), way_out="Mend it, or take it out of the settings."
    )
