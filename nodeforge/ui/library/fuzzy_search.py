"""Fuzzy search: scores and ranks texts by a query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

LEAST = 0.15
"""A word that fits less than this is not found."""
PHRASE = 1.3
"""How much more several words count that one text has in this order."""


def fit(query: str, text: str) -> float:
    """How well a query fits a text, 0..5; 0 if its letters do not occur in order.

    5 is the whole text, 4 a whole word, 3 the start of one, 2 a part of one; less than 1 are
    letters in order, better where they start words or follow each other.
    """
    query, text = query.casefold(), text.casefold()
    if not query or query == text:
        return 5.0
    at = text.find(query)
    if at >= 0:
        end = at + len(query)
        starts = at == 0 or not text[at - 1].isalnum()
        whole = starts and (end == len(text) or not text[end].isalnum())
        return 4.0 if whole else 3.0 if starts else 2.0
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
    """The matching things, best first; what fits equally well stays in the order given.

    Args:
        query: Words; every one must be found. Words that follow each other in one text count
            more than the same words in several.
        things: Each with its texts, and how much a match in each counts.
    """
    words = query.split()
    found: list[tuple[float, int, T]] = []
    for order, (thing, texts) in enumerate(things):
        whole = max((fit(query.strip(), text) * weight for text, weight in texts), default=0.0)
        each = [max((fit(word, t) * weight for t, weight in texts), default=0.0) for word in words]
        if all(best >= LEAST for best in each):
            total = max(sum(each) / max(1, len(each)), whole * PHRASE if len(words) > 1 else whole)
            found.append((-round(total, 1), order, thing))
    return [thing for _, _, thing in sorted(found, key=lambda entry: entry[:2])]
