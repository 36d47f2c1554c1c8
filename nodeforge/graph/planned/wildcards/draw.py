"""Resolves a dynamic prompt by a seed."""

from __future__ import annotations

from nodeforge.graph.planned.draws import Draws
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

MOST_CHARACTERS = 100_000
"""Of a resolved text."""
_MOST_STEPS = 100_000
"""Choices and wildcards of one text, with those inside."""


def draw(text: str, seed: int, folder: WildcardFolder) -> str:
    """`text` with one option for each choice, and one line for each wildcard.

    The same seed, text and files give the same on every machine: draws are taken in the order of
    the text from `Draws`, wildcard files in the order of their names.

    Args:
        text: As `grammar` describes it.
        seed: Says what is drawn.
        folder: Where wildcards are.

    Raises:
        WildcardError: the text or a file cannot be read, or the result is too long.
    """
    return _Drawing(Draws(seed), folder).text(parse(text), 0)


class _Drawing:
    def __init__(self, draws: Draws, folder: WildcardFolder) -> None:
        self.draws, self.folder = draws, folder
        self.steps = 0

    def text(self, parts: Text, depth: int) -> str:
        found: list[str] = []
        for part in parts:
            match part:
                case str():
                    found.append(part)
                case Wildcard():
                    found.append(self._taken(self.folder.options(part.name), 1, depth)[0])
                case Choice():
                    found.append(self._chosen(part, depth))
        made = "".join(found)
        if len(made) > MOST_CHARACTERS:
            raise WildcardError(
                f"the resolved text has more than {MOST_CHARACTERS:,} characters.",
                way_out="Take fewer or shorter options.",
            )
        return made

    def _chosen(self, choice: Choice, depth: int) -> str:
        options = options_of(choice, self.folder)
        able = sum(1 for option in options if option.weight)
        least, most = limits(choice, able)
        count = least + self.draws.below(most - least + 1) if most > least else least
        taken = self._taken(options, count, depth)
        if choice.separator is None:
            return taken[0]
        return choice.separator.join(each.strip() for each in taken)

    def _taken(self, options: tuple[Option, ...], count: int, depth: int) -> list[str]:
        """`count` different options, as often as their weights say."""
        self.steps += 1
        if self.steps > _MOST_STEPS or depth > MOST_DEPTH:
            raise WildcardError(
                "the text holds too many choices in one another.", way_out="Take fewer."
            )
        weights = [option.weight for option in options]
        found: list[str] = []
        for _ in range(count):
            place = self.draws.weighted(weights)
            weights[place] = 0.0
            found.append(self.text(options[place].text, depth + 1))
        return found


def options_of(choice: Choice, folder: WildcardFolder) -> tuple[Option, ...]:
    """The options of a choice; ``{2$$__name__}`` takes two lines of the wildcard."""
    (first, *others) = choice.options
    if choice.separator is not None and not others and len(first.text) == 1:
        only = first.text[0]
        if isinstance(only, Wildcard):
            return folder.options(only.name)
    return choice.options


def limits(choice: Choice, able: int) -> tuple[int, int]:
    """How few and how many of `able` options a choice takes."""
    most = able if choice.most is None else min(choice.most, able)
    return min(choice.least, most), most
