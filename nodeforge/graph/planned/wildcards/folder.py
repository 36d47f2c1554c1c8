"""Wildcard files: ``.txt`` with an option a line, ``.yaml`` with lists under nested keys."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from nodeforge.graph.planned.wildcards.grammar import (
    MOST_DEPTH,
    Option,
    WildcardError,
    names_in,
    parse_line,
)

MOST_BYTES = 16 * 2**20
"""Of one file."""
_MOST_FILES = 20_000
_MOST_OPTIONS = 1_000_000
"""Of one YAML file, whose aliases may repeat them."""
_YAML = (".yaml", ".yml")
SUFFIXES = (".txt", *_YAML)
"""Of wildcard files."""


class WildcardFolder:
    """The wildcards of a folder, read as they are asked for.

    The name of a text file is its path below the folder, without the ending: ``animals/birds``.
    A list in a YAML file is named by its keys, ``animals/birds`` again, or by the file and its
    keys; where a text file has the same name, it counts.

    Args:
        path: The folder; there need be none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts: dict[str, Path] = {}
        self._lists: dict[str, list[str]] | None = None
        self._by_file: dict[str, str] = {}
        self._options: dict[str, tuple[Option, ...]] = {}
        self._sound: set[str] = set()
        self._yaml_files: list[tuple[str, Path]] = []
        for name, file in files_below(path):
            if file.suffix.lower() in _YAML:
                self._yaml_files.append((name, file))
            else:
                self._texts.setdefault(name, file)

    def names(self) -> list[str]:
        """All wildcards, sorted.

        Raises:
            WildcardError: a YAML file cannot be read.
        """
        return sorted({*self._texts, *self._yaml()})

    def options(self, name: str) -> tuple[Option, ...]:
        """The options of `name`: of all files that it matches, in the order of their names.

        Raises:
            WildcardError: there is no such file, it cannot be read, has no option, or its options
                lead back to it.
        """
        self._refuse_circles(name)
        return self._read(name)

    def _read(self, name: str) -> tuple[Option, ...]:
        if name not in self._options:
            lines = [line for each in self._matching(name) for line in self._lines(each)]
            if not lines:
                raise WildcardError(
                    f"the wildcard '__{name}__' has no options.",
                    way_out=f"Write one a line into its file in {self.path}.",
                )
            try:
                options = tuple(map(parse_line, lines))
            except WildcardError as error:
                raise error.at(f"wildcard '__{name}__'") from error
            if not any(option.weight for option in options):
                raise WildcardError(
                    f"all options of the wildcard '__{name}__' weigh 0.",
                    way_out="Give one of them a weight.",
                )
            self._options[name] = options
        return self._options[name]

    def _matching(self, name: str) -> list[str]:
        """The wildcards that `name` means, whatever their case."""
        wanted = name.strip().strip("/")
        if wanted in self._texts and not set(wanted) & set("*?"):
            return [wanted]
        self._yaml()
        if keys := self._by_file.get(wanted):
            return [keys]
        pattern = re.compile(_pattern(wanted), re.IGNORECASE)
        names = self.names()
        if found := [each for each in names if pattern.fullmatch(each)]:
            return found
        near = get_close_matches(wanted, names, n=3, cutoff=0.5)
        near += [each for each in names if each.rpartition("/")[2] == wanted and each not in near]
        told = f" Near it: {', '.join(near)}." if near else ""
        raise WildcardError(
            f"there is no wildcard '__{name}__' in {self.path}.{told}",
            way_out="Write another name, or put a file of that name there: one option a line.",
        )

    def _lines(self, name: str) -> Iterator[str]:
        if name in self._texts:
            yield from lines_of(text_of_file(self._texts[name]))
        else:
            yield from self._yaml()[name]

    def _yaml(self) -> dict[str, list[str]]:
        """The lists of all YAML files, by their keys."""
        if self._lists is None:
            self._lists = {}
            for stem, file in self._yaml_files:
                for keys, options in _lists_of(file, *_version(file)).items():
                    self._lists.setdefault(keys or stem, []).extend(options)
                    self._by_file[f"{stem}/{keys}"] = keys
        return self._lists

    def _refuse_circles(self, name: str) -> None:
        """Follow all wildcards that the options of `name` hold, whatever is drawn later."""
        if name in self._sound:
            return
        trail: list[tuple[str, Iterator[str]]] = [(name, self._inner(name))]
        while trail:
            inner = next(trail[-1][1], None)
            if inner is None:
                self._sound.add(trail.pop()[0])
                continue
            if inner in self._sound:
                continue
            names = [each for each, _ in trail]
            met = {file for each in names for file in self._matching(each)}
            if met & set(self._matching(inner)):
                told = " → ".join(f"__{each}__" for each in (*names, inner))
                raise WildcardError(
                    f"wildcards lead back to themselves: {told}.",
                    way_out="Take one of them out of its file.",
                )
            if len(trail) >= MOST_DEPTH:
                raise WildcardError(
                    f"more than {MOST_DEPTH} wildcards hold one another, from '__{name}__' on.",
                    way_out="Put their options into fewer files.",
                )
            trail.append((inner, self._inner(inner)))

    def _inner(self, name: str) -> Iterator[str]:
        found = set[str]().union(*(names_in(option.text) for option in self._read(name)))
        return iter(sorted(found))


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """Wildcard files by name, sorted; links to other folders are not followed.

    Raises:
        WildcardError: there are too many.
    """
    found: list[tuple[str, Path]] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for file in files:
            path = Path(place, file)
            if path.suffix.lower() in SUFFIXES and not file.startswith("."):
                found.append((path.relative_to(folder).with_suffix("").as_posix(), path))
        if len(found) > _MOST_FILES:
            raise WildcardError(
                f"{folder} has more than {_MOST_FILES:,} wildcard files.",
                way_out="Choose a folder with fewer.",
            )
    return sorted(found, key=lambda each: (each[0], each[1].suffix))


def text_of_file(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        WildcardError: it is too large, or no text in UTF-8.
    """
    return _text(path, *_version(path))


def lines_of(text: str) -> list[str]:
    """The options of a text file: lines that are not blank and no comments."""
    stripped = (line.strip() for line in text.split("\n"))
    return [line for line in stripped if line and not line.startswith("#")]


def _version(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return told.st_mtime_ns, told.st_size


def _unreadable(path: Path, fact: str) -> WildcardError:
    return WildcardError(f"{path} cannot be read: {fact}.", way_out="Mend the file, or move it.")


@lru_cache(maxsize=256)
def _text(path: Path, _changed: int, size: int) -> str:
    if size > MOST_BYTES:
        raise WildcardError(
            f"{path} has {size / 2**20:.0f} MiB, and {MOST_BYTES // 2**20} are read at most.",
            way_out="Divide it into several files.",
        )
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise WildcardError(
            f"{path} is no text in UTF-8, in line {line}.", way_out="Save it as UTF-8."
        ) from error
    if "\0" in text:
        raise WildcardError(f"{path} is no text.", way_out="Choose a text file in UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=64)
def _lists_of(path: Path, changed: int, size: int) -> dict[str, list[str]]:
    """The lists of a YAML file, by their keys joined by ``/``."""
    import yaml  # only here: most workflows need none

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(_text(path, changed, size), loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        told = getattr(error, "problem", None) or "it is no YAML"
        raise _unreadable(path, f"{told}{where}") from error
    except (RecursionError, ValueError) as error:
        raise _unreadable(path, "it is no YAML that is read here") from error
    found: dict[str, list[str]] = {}
    count = 0
    waiting: list[tuple[tuple[str, ...], Any]] = [((), raw)]
    while waiting:
        keys, value = waiting.pop()
        if len(keys) > MOST_DEPTH:
            raise _unreadable(path, f"its keys lie more than {MOST_DEPTH} deep")
        if isinstance(value, dict):
            waiting += [((*keys, str(key).strip("/")), inner) for key, inner in value.items()]
            count += len(value)
        elif value is not None:
            options = value if isinstance(value, list) else [value]
            found.setdefault("/".join(keys), []).extend(_option(path, each) for each in options)
            count += len(options)
        if count > _MOST_OPTIONS:
            raise _unreadable(path, f"it has more than {_MOST_OPTIONS:,} options")
    return found


def _option(path: Path, value: Any) -> str:
    if isinstance(value, dict | list):
        raise _unreadable(
            path, f"{str(value)[:40]!r} is no option; put quotation marks round one with brackets"
        )
    return " ".join(str("" if value is None else value).split("\n")).strip()


def _pattern(name: str) -> str:
    """``*`` is a part of a name, ``**`` goes through folders, ``?`` is one character."""
    parts = re.split(r"(\*\*|\*|\?)", name)
    told = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(told.get(part, re.escape(part)) for part in parts)
