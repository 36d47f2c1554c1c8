"""Reads ``extra_model_paths.yaml``, in which ComfyUI's users name their folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError

_LIMIT = 2**20


@dataclass(frozen=True)
class NamedFolder:
    """A folder under one of ComfyUI's names, as ``loras``; `default` ones are looked in first."""

    name: str
    path: Path
    default: bool


def read_extra_paths(file: Path) -> list[NamedFolder]:
    """The folders that `file` names, in its order.

    Raises:
        RequestError: it cannot be read, or is not such a file.
    """
    import yaml  # only when needed: the command line starts faster

    try:
        if file.stat().st_size > _LIMIT:
            raise _unusable(file, f"is larger than {_LIMIT} bytes")
        told = yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unusable(file, f"is not YAML: {' '.join(str(error).split())[:200]}") from error
    if told is None:
        return []
    if not isinstance(told, dict):
        raise _unusable(file, "does not hold folders by name")
    return [
        folder for part in told.values() if isinstance(part, dict) for folder in _part(file, part)
    ]


def _part(file: Path, part: dict[Any, Any]) -> Iterator[NamedFolder]:
    base = file.absolute().parent / _path(part.get("base_path") or "")
    default = part.get("is_default") is True
    for name, value in part.items():
        if not isinstance(name, str) or name in ("base_path", "is_default"):
            continue
        lines = value.splitlines() if isinstance(value, str) else ()
        for line in filter(None, map(str.strip, lines)):
            yield NamedFolder(name, base / _path(line), default)


def _path(text: Any) -> Path:
    return Path(os.path.expandvars(str(text).replace("\\", "/"))).expanduser()


def _unusable(file: Path, fact: str) -> RequestError:
    return RequestError(
        f"{fact}.", place=str(file), way_out="Mend it, or take it out of the settings."
    )
