"""All texts that a dynamic prompt can become."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, product
from itertools import combinations as _combinations
from math import comb

from nodeforge.graph.planned.wildcards.draw import MOST_CHARACTERS, limits, options_of
from nodeforge.graph.planned.wildcards.folder import WildcardFolder
from nodeforge.graph.planned.wildcards.grammar import (
    MOST_DEPTH,
    Choice,
    Option,
    Text,
    Wildcard,
    WildcardError,
    parse,
)

_BEYOND = 10**15
"""Counts are not followed further."""
_MOST_TRIED = 100_000
"""Combinations that are made, of which some may be equal."""


def combinations(text: str, most: int, folder: WildcardFolder) -> list[str]:
    """Every text that `text` can become, each once, in the order of its options.

    Options of weight 0 are left out. Of ``{2$$a|b|c}`` the order of the two does not count.

    Args:
        text: As `grammar` describes it.
        most: How many there may be.
        folder: Where wildcards are.

    Raises:
        WildcardError: there are more, or the text or a file cannot be read.
    """
    parts = parse(text)
    count = _count(parts, folder, 0)
    if count > min(_MOST_TRIED, max(most, 1)):
        told = f"more than {_BEYOND:,}" if count >= _BEYOND else f"{count:,}"
        raise WildcardError(
            f"makes {told} combinations, and {most:,} are allowed.",
            way_out="Take fewer options, allow more, or draw by Wildcards from a list of seeds.",
        )
    return list(dict.fromkeys(_texts(parts, folder)))


def _count(parts: Text, folder: WildcardFolder, depth: int) -> int:
    if depth > MOST_DEPTH:
        raise WildcardError(
            "the text holds too many choices in one another.", way_out="Take fewer."
        )
    found = 1
    for part in parts:
        if isinstance(part, Wildcard):
            found *= sum(
                _count(o.text, folder, depth + 1) for o in _able(folder.options(part.name))
            )
        elif isinstance(part, Choice):
            found *= _count_choice(part, folder, depth)
        found = min(found, _BEYOND)
    return found


def _count_choice(choice: Choice, folder: WildcardFolder, depth: int) -> int:
    """The sum over all numbers of options of their products: elementary symmetric polynomials."""
    options = _able(options_of(choice, folder))
    least, most = limits(choice, len(options))
    counts = [_count(option.text, folder, depth + 1) for option in options]
    if set(counts) == {1}:
        return min(_BEYOND, sum(comb(len(counts), taken) for taken in range(least, most + 1)))
    sums = [1] + [0] * most
    for each in counts:
        for taken in range(most, 0, -1):
            sums[taken] = min(_BEYOND, sums[taken] + sums[taken - 1] * each)
    return min(_BEYOND, sum(sums[least : most + 1]))


def _able(options: tuple[Option, ...]) -> list[Option]:
    return [option for option in options if option.weight]


def _texts(parts: Text, folder: WildcardFolder) -> Iterator[str]:
    for picked in product(*(list(_part_texts(part, folder)) for part in parts)):
        made = "".join(picked)
        if len(made) > MOST_CHARACTERS:
            raise WildcardError(
                f"a combination has more than {MOST_CHARACTERS:,} characters.",
                way_out="Take shorter options.",
            )
        yield made


def _part_texts(part: str | Wildcard | Choice, folder: WildcardFolder) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Wildcard):
        found = (_texts(option.text, folder) for option in _able(folder.options(part.name)))
        yield from chain.from_iterable(found)
    else:
        options = _able(options_of(part, folder))
        least, most = limits(part, len(options))
        texts = [list(_texts(option.text, folder)) for option in options]
        for taken in range(least, most + 1):
            for several in _combinations(texts, taken):
                for picked in product(*several):
                    separator = part.separator
                    yield (
                        picked[0]
                        if separator is None
                        else separator.join(each.strip() for each in picked)
                    )
