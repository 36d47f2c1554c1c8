"""Prompts that change while steps run: ``[from:to:0.4]``, ``[from:to:12]``, ``[one|other]``.

A text becomes several prompts, each with its range of steps: how many steps there are is not
known yet, so a share stays a share and a count a count. Step keys see what a prompt says and not
when, so that a changed end of a schedule runs again only from there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import NamedTuple

from nodeforge.diffusion.families import behaviour
from nodeforge.diffusion.memory.residency import found_weights
from nodeforge.diffusion.networks.loading import LoadedTextEncoder
from nodeforge.diffusion.text.textual_inversion import with_embeddings
from nodeforge.errors import RequestError
from nodeforge.values import Conditioning, Image, TextEncoder

MOST_TURNS = 12
"""Different texts that alternation may make."""

MOST_TEXTS = 500
"""Ranges of steps that changes may make; shares and counts in one text multiply."""

LAST = 1000
"""Steps that a run may have."""

DEEPEST = 50
"""Brackets that may lie in each other."""

_NUMBER = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*")
# `embedding:name` is one word
_TOKEN = re.compile(r"\\.|embedding:|[()\[\]:|]|(?:(?!embedding:)[^\\()\[\]:|])+|\\", re.DOTALL)
_OPEN = {"[": "]", "(": ")"}


class ScheduledPromptError(RequestError):
    """A schedule in a prompt that cannot be kept."""


def encode_text(
    encoder: LoadedTextEncoder,
    recipe: TextEncoder,
    text: str,
    clip_skip: int = 0,
    check: Callable[[], None] = lambda: None,
    pictures: Sequence[Image] = (),
) -> Conditioning:
    """Encode all that a person may write: weights, schedules, embeddings.

    Args:
        encoder: From `recipe`.
        recipe: With its embeddings.
        text: The prompt.
        clip_skip: Last layers of the text encoder left out.
        check: Called between chunks; what it raises stops the encoding.
        pictures: What the words are to change, for text encoders that see.

    Raises:
        RequestError: the text is too long, or says something that cannot be done.
        LoadingError: an embedding was made for another model.
    """
    family = behaviour(encoder.family)
    knowing = with_embeddings(encoder, recipe, found_weights)

    def encoded(words: str) -> Conditioning:
        if pictures:
            return family.encode_instruction(knowing, words, pictures, check)
        return family.encode(knowing, words, clip_skip, check)

    return schedule_prompt(text, encoded)


@dataclass(frozen=True)
class Text:
    """What a prompt says in a range of steps.

    Args:
        text: With its weights, without schedules.
        start: Share of the steps run from which it is said.
        end: Share of the steps run up to which it is said.
        turn: Which of how many steps it is said in: (0, 2) is every other one, from the first.
        steps: Which of the steps run it is said in, as in `nodeforge.values.Prompt`.
    """

    text: str
    start: float = 0.0
    end: float = 1.0
    turn: tuple[int, int] = (0, 1)
    steps: tuple[int, int | None] = (0, None)


def schedule_prompt(text: str, encode: Callable[[str], Conditioning]) -> Conditioning:
    """Encode a text with schedules; each different text in it is encoded once.

    Args:
        text: ``[from:to:when]``, ``[to:when]`` and ``[from::when]`` change at `when`, with a
            point a share of the steps run, else after so many of them: ``1`` is after the first
            step, ``1.0`` after the last, which is never. ``[one|other|...]`` takes turns, a step
            each. They may hold each other.
        encode: Encodes a text without schedules.

    Raises:
        ScheduledPromptError: a `when` is beyond all steps, or too many texts alternate.
    """
    said = texts(text)
    encoded = {each.text: None for each in said}
    made = {words: encode(words) for words in encoded}
    prompts = tuple(
        replace(prompt, start=each.start, end=each.end, turn=each.turn, steps=each.steps)
        for each in said
        for prompt in made[each.text].prompts
    )
    return replace(made[said[0].text], prompts=prompts)


def texts(prompt: str) -> list[Text]:
    """What `prompt` says and when, in order; one text where nothing changes."""
    whole = _read(prompt)
    bounds = set(whole.bounds())
    shares = pairwise(sorted({0.0, 1.0, *(b.at for b in bounds if not b.counted)}))
    counts = pairwise([*sorted({0, *(int(b.at) for b in bounds if b.counted)}), None])
    ranges = list(product(shares, counts))
    period = math.lcm(*whole.periods())
    if period > MOST_TURNS:
        raise ScheduledPromptError(
            f"the alternations in the prompt make {period} different texts.",
            way_out=f"Use fewer, or of numbers that divide each other: at most {MOST_TURNS}.",
        )
    if len(ranges) > MOST_TEXTS:
        raise ScheduledPromptError(
            f"the changes in the prompt make {len(ranges)} ranges of steps.",
            way_out="Let all change at shares of the steps, as 0.5, or all after a number of them.",
        )
    found: list[Text] = []
    for (start, end), (first, stop) in ranges:
        said = [whole.at(_Now(start, first or 0, turn)) for turn in range(period)]
        if len(set(said)) == 1:
            said = said[:1]
        found += [
            Text(words, start, end, (turn, len(said)), (first or 0, stop))
            for turn, words in enumerate(said)
        ]
    return _joined(found)


def _joined(found: list[Text]) -> list[Text]:
    """Neighbours that say the same as one."""
    joined: list[Text] = []
    for each in found:
        before = joined[-1] if joined else None
        if before is None or (before.text, before.turn) != (each.text, (0, 1)):
            joined.append(each)
        elif before.steps == each.steps and before.end == each.start:
            joined[-1] = replace(before, end=each.end)
        elif before.start == each.start and before.steps[1] == each.steps[0]:
            joined[-1] = replace(before, steps=(before.steps[0], each.steps[1]))
        else:
            joined.append(each)
    return joined


class _Bound(NamedTuple):
    """Where something changes: at a share of the steps, or after a number of them."""

    at: float
    counted: bool


class _Now(NamedTuple):
    """The beginning of a range of steps, and the turn in it."""

    share: float
    step: int
    turn: int

    def reached(self, bound: _Bound) -> bool:
        return (self.step if bound.counted else self.share) >= bound.at


@dataclass(frozen=True)
class _Row:
    """Parts one after the other, each a text or something that changes."""

    parts: tuple[str | _Change | _Turns, ...]

    def at(self, now: _Now) -> str:
        return "".join(p if isinstance(p, str) else p.at(now) for p in self.parts)

    def bounds(self) -> Iterator[_Bound]:
        for part in self.parts:
            if not isinstance(part, str):
                yield from part.bounds()

    def periods(self) -> Iterator[int]:
        for part in self.parts:
            if not isinstance(part, str):
                yield from part.periods()


@dataclass(frozen=True)
class _Change:
    """One thing up to a step, another from there."""

    first: _Row
    then: _Row
    when: _Bound

    def at(self, now: _Now) -> str:
        return (self.then if now.reached(self.when) else self.first).at(now)

    def bounds(self) -> Iterator[_Bound]:
        yield self.when
        yield from self.first.bounds()
        yield from self.then.bounds()

    def periods(self) -> Iterator[int]:
        yield from self.first.periods()
        yield from self.then.periods()


@dataclass(frozen=True)
class _Turns:
    """Several things, a step each."""

    rows: tuple[_Row, ...]

    def at(self, now: _Now) -> str:
        return self.rows[now.turn % len(self.rows)].at(now)

    def bounds(self) -> Iterator[_Bound]:
        for row in self.rows:
            yield from row.bounds()

    def periods(self) -> Iterator[int]:
        yield len(self.rows)
        for row in self.rows:
            yield from row.periods()


def _read(text: str) -> _Row:
    tokens = _TOKEN.findall(text)
    partners = _partners(tokens)
    return _row(tokens, partners, 0, len(tokens))


def _partners(tokens: list[str]) -> dict[int, int]:
    """The bracket that closes each bracket."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token in _OPEN:
            opened.append(index)
        elif opened and token == _OPEN[tokens[opened[-1]]]:
            partners[opened.pop()] = index
        if len(opened) > DEEPEST:
            raise ScheduledPromptError(
                f"more than {DEEPEST} brackets lie in each other.",
                way_out="Close some, or write '\\[' for a bracket that is meant as such.",
            )
    return partners


def _row(tokens: list[str], partners: dict[int, int], start: int, end: int) -> _Row:
    parts: list[str | _Change | _Turns] = []
    at = start
    while at < end:
        close = partners.get(at) if tokens[at] == "[" else None
        made = close and _changing(tokens, partners, at + 1, close)
        if close and made:
            parts.append(made)
            at = close + 1
        else:
            parts.append(tokens[at])
            at += 1
    return _Row(tuple(parts))


def _changing(
    tokens: list[str], partners: dict[int, int], start: int, end: int
) -> _Change | _Turns | None:
    """What lies between two square brackets, where it changes with the steps."""
    if len(turns := _split(tokens, partners, start, end, "|")) > 1:
        return _Turns(tuple(_row(tokens, partners, *span) for span in turns))
    spans = _split(tokens, partners, start, end, ":")
    number = _NUMBER.fullmatch("".join(tokens[slice(*spans[-1])]))
    if number is None or len(spans) not in (2, 3):
        return None
    rows = [_row(tokens, partners, *span) for span in spans[:-1]]
    return _Change(rows[0] if len(rows) == 2 else _Row(()), rows[-1], _bound(number[1]))


def _bound(number: str) -> _Bound:
    """What a number says, which may be written with a point."""
    found = _Bound(float(number), "." not in number)
    if found.at > (LAST if found.counted else 1):
        what = "no step of a run" if found.counted else "no share of the steps"
        raise ScheduledPromptError(
            f"the prompt changes at {number[:20]}, which is {what}.",
            way_out="0.5 is after half of the steps, 12 after twelve of them: write a share from "
            f"0.0 to 1.0, or a whole number up to {LAST}.",
        )
    return found


def _split(
    tokens: list[str], partners: dict[int, int], start: int, end: int, mark: str
) -> list[tuple[int, int]]:
    """The spans between the marks that lie in no inner bracket."""
    spans: list[tuple[int, int]] = []
    at = first = start
    while at < end:
        if tokens[at] == mark:
            spans.append((first, at))
            first = at + 1
        at = partners.get(at, at) + 1
    return [*spans, (first, end)]
