"""Fuzzy search: scores and ranks texts by a query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def score(query: str, text: str) -> float:
    """The score of a query in a text; 0 if its letters do not occur in order.

    A whole word is best, then the start of one, then letters that start words or follow each
    other; shorter texts win.
    """
    query, text = query.casefold(), text.casefold()
    if not query:
        return 1.0
    at = text.find(query)
    if at >= 0:
        end = at + len(query)
        starts = at == 0 or not text[at - 1].isalnum()
        whole = starts and (end == len(text) or not text[end].isalnum())
        rank = 4.0 if whole else 3.0 if starts else 2.0
        return rank + (0.5 if at == 0 else 0.0) + len(query) / (len(text) + 1) / 2
    total, last = 0.0, -1
    for letter in query:
        place = text.find(letter, last + 1)
        if place < 0:
            return 0.0
        starts = place == 0 or not text[place - 1].isalnum()
        total += 1.0 if place == last + 1 or starts else 0.4
        last = place
    return total / (len(text) + len(query))


def ranked(query: str, things: Iterable[tuple[T, Sequence[tuple[str, float]]]]) -> list[T]:
    """The matching things, best first.

    Args:
        query: Words; every one must be found.
        things: Each with its texts, and how much a match in each counts.
    """
    words = query.split()
    found: list[tuple[float, int, T]] = []
    for order, (thing, texts) in enumerate(things):
        total = 0.0
        for word in words:
            best = max((score(word, text) * weight for text, weight in texts), default=0.0)
            if best < 0.15:
                break
            total += best
        else:
            found.append((-total, order, thing))
    return [thing for _, _, thing in sorted(found, key=lambda entry: entry[:2])]
