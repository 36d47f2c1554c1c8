"""`vocabulary.json` beside a model: the words that it knows, for whoever writes its prompts.

`things` leads from the word users learn to its synonyms; `moves` and `edits` are whole wordings,
empty for a model that neither moves nor edits; `words` are those that join the others.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

from tools.nano.captions import PLACE_WORDS
from tools.nano.concepts import Concept
from tools.nano.instructions import EDIT_WORDS, MOVE_WORDS
from tools.nano.scenes import COLOURS

FILE = "vocabulary.json"
JOINING = ("a", "an", "and", "on", "background", "gradient", "from", "to", "style")
FIELDS = {
    "colour": "{colour}",
    "gone": "{thing}",
    "it": "it",
    "new": "{thing}",
    "where": "{side}",
    "direction": "{direction}",
}


def wordings(words: Mapping[str, Sequence[str]]) -> list[str]:
    """Every wording, with `{thing}`, `{colour}`, `{side}` or `{direction}` where one stands."""
    texts = [text.format(**FIELDS) for row in words.values() for text in row]
    return list(dict.fromkeys(texts))


def joining_words(texts: Sequence[str]) -> list[str]:
    """The plain words of those wordings, without what is filled in."""
    parts = [part for text in texts for part, *_ in Formatter().parse(text)]
    return [word for part in parts for word in part.replace(",", " ").split()]


def vocabulary(
    concepts: Sequence[Concept], styles: Sequence[str], *, moves: bool = False, edits: bool = False
) -> dict[str, Any]:
    places = [word for row in PLACE_WORDS.values() for text in row for word in text.split(", ")]
    moved = wordings(MOVE_WORDS) if moves else []
    edited = wordings(EDIT_WORDS) if edits else []
    things = {concept.name: list(concept.names[1:]) for concept in concepts}
    joining = [*JOINING, *joining_words(places), *joining_words([*moved, *edited])]
    joining += ["the", "up", "down"] if edits else []
    return {
        "things": things,
        "colours": list(COLOURS),
        "places": [place for place in dict.fromkeys(places) if place],
        "styles": list(styles),
        "moves": moved,
        "edits": edited,
        "words": sorted(set(joining)),
    }


def save_vocabulary(known: Mapping[str, Any], folder: Path) -> None:
    text = json.dumps(known, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", "utf-8")
