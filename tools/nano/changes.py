"""Edits as pairs of scenes: the compositor draws both, so that all else is exactly equal.

Neither scene is one that training keeps out; an evaluation takes pairs whose result is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tools.nano.concepts import Concept
from tools.nano.scenes import COLOURS, PAIR_PLACES, PLACES, Scene, draw_scene, is_held_out

SIDES: Final = ("left", "right", "top", "bottom")
FLAT: Final = "flat"


@dataclass(frozen=True)
class Edit:
    """What is done (a key of `EDITS`) to which picture, and what comes of it."""

    kind: str
    before: Scene
    after: Scene


def single(concepts: Sequence[Concept], rng: np.random.Generator, style: str, place: str) -> Scene:
    scene = draw_scene(concepts, style, rng, pairs=0)
    return replace(scene, place=place)


def other(choices: Sequence[str], than: str, rng: np.random.Generator) -> str:
    return str(rng.choice([choice for choice in choices if choice != than]))


def any_scene(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Scene:
    return draw_scene(concepts, style, rng, pairs=0.25)


def background(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    before = any_scene(concepts, style, rng)
    colour = other(list(COLOURS), before.colour, rng)
    second = other(list(COLOURS), colour, rng) if rng.random() < 0.15 else None
    return Edit("background", before, replace(before, colour=colour, second_colour=second))


def another_thing(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    """One thing gives way to another of the same size at the same place."""
    before = any_scene(concepts, style, rng)
    unused = [concept for concept in concepts if concept not in before.subjects]
    fresh = unused[int(rng.integers(len(unused)))]
    which = int(rng.integers(len(before.subjects)))
    subjects = tuple(fresh if i == which else c for i, c in enumerate(before.subjects))
    flipped = before.flipped and fresh.may_flip
    before = replace(before, flipped=flipped)
    return Edit("replace", before, replace(before, subjects=subjects))


def added(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    """A second thing beside one that leaves room for it: the pair's places, not left and right."""
    pair = draw_scene(concepts, style, rng, pairs=1)
    kept = int(rng.integers(2))
    side = ("left", "right")[kept]
    shift = (pair.shift[0] + PAIR_PLACES[kept][0] - PLACES[side][0], pair.shift[1])
    alone = replace(pair, subjects=(pair.subjects[kept],), place=side, shift=shift)
    return Edit("add", alone, pair)


def removed(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    edit = added(concepts, style, rng)
    return Edit("remove", edit.after, edit.before)


def moved(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    before = single(concepts, rng, style, str(rng.choice((*SIDES, "small"))))
    return Edit("move", before, replace(before, place=other(SIDES, before.place, rng)))


def smaller(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    before = single(concepts, rng, style, "large")
    return Edit("smaller", before, replace(before, place="small"))


def larger(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    edit = smaller(concepts, style, rng)
    return Edit("larger", edit.after, edit.before)


def flattened(concepts: Sequence[Concept], style: str, rng: np.random.Generator) -> Edit:
    before = any_scene(concepts, style, rng)
    return Edit(FLAT, before, replace(before, style=FLAT))


Maker = Callable[[Sequence[Concept], str, np.random.Generator], Edit]
EDITS: Final[dict[str, Maker]] = {
    "background": background,
    "replace": another_thing,
    "add": added,
    "remove": removed,
    "move": moved,
    "smaller": smaller,
    "larger": larger,
    FLAT: flattened,
}


def shows_kept_out(scene: Scene) -> bool:
    return any(is_held_out(c.code, scene.colour, scene.place) for c in scene.subjects)


def random_edit(
    concepts: Sequence[Concept],
    style: str,
    rng: np.random.Generator,
    kept_out: bool = False,
    kinds: Sequence[str] = tuple(EDITS),
) -> Edit:
    """An edit that training may show; or, for an evaluation, one whose result is kept out."""
    while True:
        kind = str(rng.choice(list(kinds)))
        edit = EDITS[kind](concepts, style, rng)
        if shows_kept_out(edit.after) == kept_out and not shows_kept_out(edit.before):
            return edit
