"""The words that a small model was taught: ``vocabulary.json`` beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILE = "vocabulary.json"
_LARGEST = 2**20
"""Bytes."""
_WORD = re.compile(r"(?<![\w-])[^\W\d_][\w'-]*")
_NO_WORDS = re.compile(r"<[^<>]*>|\{\w+\}|\bembedding:\S+|\b(?:BREAK|AND)\b")
"""What of a text is no word for the text encoder, or stands for one: tags, places, syntax."""
_NEAR = 0.6
"""As alike as *robot* and *rabbit*."""


@dataclass(frozen=True)
class KnownWords:
    """What models were taught.

    Args:
        words: All that stand in it, in lower case.
        things: What a prompt may name, each by one name.
        synonyms: Other names of these.
    """

    words: frozenset[str]
    things: tuple[str, ...]
    synonyms: tuple[str, ...] = ()

    def unknown(self, text: str) -> list[str]:
        """The words of a text that are not among them, as they stand there, each once."""
        plain = _NO_WORDS.sub(lambda found: " " * len(found[0]), text)
        words = (word.rstrip("'-") for word in _WORD.findall(plain))
        return list(dict.fromkeys(w for w in words if w.lower() not in self.words))

    def near(self, word: str, count: int = 2) -> list[str]:
        """Names of things that are spelt like a word, the likest first."""
        return get_close_matches(word.lower(), self.things + self.synonyms, count, _NEAR)

    def __or__(self, other: KnownWords) -> KnownWords:
        return KnownWords(
            self.words | other.words,
            tuple(dict.fromkeys(self.things + other.things)),
            tuple(dict.fromkeys(self.synonyms + other.synonyms)),
        )


def known_words(folder: Path) -> KnownWords | None:
    """What the model in a folder was taught; None where nothing says it."""
    file = folder / _FILE
    try:
        stat = file.stat()
        return _read(file, stat.st_mtime_ns) if stat.st_size <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None


@lru_cache(16)
def _read(file: Path, changed: int) -> KnownWords:
    del changed  # read again where it was
    told = json.loads(file.read_text("utf-8"))
    lists = told if isinstance(told, dict) else {}
    plain = (_NO_WORDS.sub(" ", text).lower() for text in _texts([*lists.values()]))
    words = (word for text in plain for word in _WORD.findall(text))
    named = lists.get("things")
    things = named if isinstance(named, dict) else {}
    return KnownWords(frozenset(words), tuple(things), tuple(_texts([*things.values()])))


def _texts(value: Any) -> Iterator[str]:
    """All texts in JSON values, names as well."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for name, each in value.items():
                yield name
                yield from _texts(each)
