"""Dynamic prompts, resolved by a seed or in all ways."""

from __future__ import annotations

from pathlib import Path

from nodeforge.errors import RequestError
from nodeforge.graph.planned.functions.lists import Texts
from nodeforge.graph.planned.functions.plain import Text
from nodeforge.graph.planned.wildcards import WildcardFolder, combinations, draw


def wildcards(text: str, seed: int, folder: Path) -> Text:
    """`text` with one option for each choice and wildcard.

    Raises:
        WildcardError: it cannot be resolved.
    """
    try:
        return Text(draw(text, seed, WildcardFolder(folder)))
    except RequestError as error:
        raise error.at("port 'text'") from error


def all_combinations(text: str, most: int, folder: Path) -> Texts:
    """Every text that `text` can become.

    Raises:
        WildcardError: there are more than `most`, or it cannot be resolved.
    """
    try:
        found = combinations(text, most, WildcardFolder(folder))
    except RequestError as error:
        raise error.at("port 'text'") from error
    return Texts(found, len(found))
