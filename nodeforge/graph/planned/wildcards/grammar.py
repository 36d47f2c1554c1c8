"""The grammar of dynamic prompts.

``{a|b}`` is one of its options, ``{3::a|b}`` weighs them, ``{2$$a|b|c}`` takes two of them,
``{1-3$$ and $$a|b|c}`` one to three with a separator. ``__name__`` is a line of a wildcard file.
Options may hold all of it again. A backslash before ``{ } | $ _ #`` makes it a plain character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nodeforge.errors import RequestError

MOST_DEPTH = 32
"""Choices and wildcards within one another."""
DEFAULT_SEPARATOR = ", "

_ESCAPED = "{}|$_#"
_NAME = re.compile(r"__(?![\s_])([\w .*?/-]*?[\w.*?/-])(?<!_)__")
_COUNT = re.compile(r"\s*(?:(\d{1,4})|(\d{0,4})\s*-\s*(\d{0,4}))\s*\Z")
_WEIGHT = re.compile(r"\s*(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})::")
_STRANGE = {
    "${": "sets or reads a variable",
    "{%": "is a Jinja template",
    "{{": "is a Jinja template",
    "{@": "takes its options in turns",
    "{!": "takes all of its options",
}


class WildcardError(RequestError):
    """A dynamic prompt that cannot be resolved."""


@dataclass(frozen=True)
class Wildcard:
    """A line of the files of `name`, which may hold ``*`` and ``?``."""

    name: str


@dataclass(frozen=True)
class Option:
    """One option of a choice, with its weight, 0 or more."""

    weight: float
    text: Text


@dataclass(frozen=True)
class Choice:
    """Some of several options.

    Args:
        options: All of them.
        least: How few are taken.
        most: How many are taken; None takes all that there are.
        separator: What goes between two; None where one is taken, as it stands.
    """

    options: tuple[Option, ...]
    least: int = 1
    most: int | None = 1
    separator: str | None = None


Text = tuple[str | Wildcard | Choice, ...]
"""What follows one another."""


def is_dynamic(text: str) -> bool:
    """Whether `text` has a choice between options, or a wildcard."""
    return bool(_NAME.search(text)) or bool(re.search(r"(?<!\\)\{[^{}]*(?:\||\$\$)", text))


def names_in(text: Text) -> set[str]:
    """The wildcards of `text`."""
    found: set[str] = set()
    waiting = [text]
    while waiting:
        for part in waiting.pop():
            if isinstance(part, Wildcard):
                found.add(part.name)
            elif isinstance(part, Choice):
                waiting += [option.text for option in part.options]
    return found


@lru_cache(maxsize=20_000)
def parse(text: str) -> Text:
    """The parts of `text`.

    Raises:
        WildcardError: a bracket has no partner, or a choice is written in a way that is not read.
    """
    parser = _Parser(text)
    found = parser.text(0, "")
    if parser.place < len(text):
        raise parser.error(parser.place, "'}' closes nothing", "Write \\} where it is meant")
    return found


@lru_cache(maxsize=20_000)
def parse_line(line: str) -> Option:
    """A line of a wildcard file: a weight may stand before it, ``3::red``."""
    weight, rest = _weighed(line)
    return Option(weight, parse(rest))


def _weighed(text: str) -> tuple[float, str]:
    found = _WEIGHT.match(text)
    return (float(found[1]), text[found.end() :]) if found else (1.0, text)


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0

    def error(self, place: int, fact: str, way_out: str) -> WildcardError:
        line = self.source.count("\n", 0, place) + 1
        near = self.source[place : place + 24].partition("\n")[0]
        at = f"line {line}: " if "\n" in self.source else ""
        return WildcardError(f"{at}{fact} at '{near}'.", way_out=f"{way_out}.")

    def text(self, depth: int, ends: str) -> Text:
        """What stands up to one of `ends`, or to a bracket that closes."""
        parts: list[str | Wildcard | Choice] = []
        plain: list[str] = []
        source = self.source
        while self.place < len(source):
            here = source[self.place]
            if here in ends or here == "}":
                break
            part = self._part(depth)
            if isinstance(part, str):
                plain.append(part)
                continue
            if plain:
                parts.append("".join(plain))
                plain = []
            parts.append(part)
        if plain:
            parts.append("".join(plain))
        return tuple(parts)

    def _part(self, depth: int) -> str | Wildcard | Choice:
        source, start = self.source, self.place
        here, pair = source[start], source[start : start + 2]
        if here == "\\" and pair[1:] and pair[1] in _ESCAPED:
            self.place += 2
            return pair[1]
        if pair in _STRANGE and self._is_strange(pair):
            raise self.error(
                start, f"'{pair}' {_STRANGE[pair]}, which is not read here", "Write it as a choice"
            )
        if here == "{":
            return self._choice(depth)
        if here == "_" and (found := _NAME.match(source, start)):
            self.place = found.end()
            return Wildcard(found[1])
        self.place += 1
        return here

    def _is_strange(self, pair: str) -> bool:
        """Two brackets are Jinja's only with two that close: ``{{a|b} c|d}`` is a choice."""
        return pair != "{{" or bool(re.compile(r"\{\{[^{}]*\}\}").match(self.source, self.place))

    def _choice(self, depth: int) -> Choice:
        start = self.place
        if depth >= MOST_DEPTH:
            raise self.error(start, f"more than {MOST_DEPTH} choices in one another", "Take fewer")
        self.place += 1
        least, most, separator = self._count()
        options: list[Option] = []
        while True:
            found = _WEIGHT.match(self.source, self.place)
            if found:
                self.place = found.end()
            options.append(Option(float(found[1]) if found else 1.0, self.text(depth + 1, "|")))
            if self.place >= len(self.source):
                raise self.error(start, "'{' is not closed", "Add a }, or write \\{ if it is meant")
            self.place += 1
            if self.source[self.place - 1] == "}":
                break
        if not any(option.weight for option in options):
            raise self.error(start, "all options weigh 0", "Give one of them a weight")
        return Choice(tuple(options), least, most, separator)

    def _count(self) -> tuple[int, int | None, str | None]:
        """How many options are taken: ``2$$``, ``1-3$$``, ``1-3$$SEPARATOR$$``."""
        source, start = self.source, self.place
        head = re.compile(r"[^{}|]*?\$\$").match(source, start)
        if head is None:
            return 1, 1, None
        found = _COUNT.match(head[0][:-2])
        if found is None:
            raise self.error(
                start, f"'{head[0][:-2].strip()}' is no count before $$", "Write {2$$a|b|c}"
            )
        exact, low, high = found.groups()
        least = int(exact or low or 0)
        most = int(exact) if exact else (int(high) if high else None)
        if most is not None and most < least:
            raise self.error(start, f"the count {least}-{most} is turned round", "Swap its ends")
        self.place = head.end()
        separator = DEFAULT_SEPARATOR
        if said := re.compile(r"([^{}|]*?)\$\$").match(source, self.place):
            separator, self.place = said[1].replace("\\n", "\n"), said.end()
        return least, most, separator
