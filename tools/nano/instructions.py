"""Wordings of edits ('turn the fox into an owl') and of moves ('..., moving to the left')."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from tools.nano.captions import article, caption, caption_without_place, named, pick
from tools.nano.changes import Edit
from tools.nano.concepts import Concept
from tools.nano.scenes import Scene

# The first is the plain one, which cards and evaluations use. {it} is 'it' or 'the fox',
# {gone} what was there, {new} what comes, with its article; {where} a side, {direction} the way.
EDIT_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "background": (
        "make the background {colour}",
        "turn the background {colour}",
        "change the background to {colour}",
        "{colour} background",
    ),
    "replace": (
        "turn {gone} into {new}",
        "replace {gone} with {new}",
        "change {gone} into {new}",
        "make {gone} {new}",
        "{new} instead of {gone}",
    ),
    "add": (
        "add {new}",
        "add {new} on the {where}",
        "put {new} on the {where}",
        "add {new} next to {gone}",
        "put {new} beside {gone}",
        "draw {new} too",
    ),
    "remove": ("remove {gone}", "take {gone} away", "erase {gone}", "delete {gone}"),
    "move": (
        "move {it} to the {where}",
        "put {it} at the {where}",
        "shift {it} to the {where}",
        "move {it} {direction}",
    ),
    "smaller": ("make {it} smaller", "shrink {it}", "smaller", "make {it} small"),
    "larger": ("make {it} larger", "make {it} bigger", "enlarge {it}", "larger", "make {it} large"),
    "flat": (
        "make it flat",
        "draw it flat",
        "turn it into a flat drawing",
        "in a flat style",
        "flat style",
    ),
}
DIRECTIONS: Final = {"top": "up", "bottom": "down"}
MOVE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "left": ("moving to the left", "moving left"),
    "right": ("moving to the right", "moving right"),
    "up": ("moving up", "rising"),
    "down": ("moving down", "falling"),
    "growing": ("growing", "getting larger"),
    "shrinking": ("shrinking", "getting smaller"),
    "turning": ("turning", "spinning"),
    "bouncing": ("bouncing", "jumping"),
}


def colour_words(scene: Scene) -> str:
    if scene.second_colour:
        return f"a gradient from {scene.colour} to {scene.second_colour}"
    return scene.colour


def the(concept: Concept, rng: np.random.Generator) -> str:
    """'the fox', by one of its names."""
    usual = len(concept.names) == 1 or rng.random() < 0.67
    return f"the {concept.name if usual else pick(concept.names[1:], rng)}"


def new_words(concept: Concept, rng: np.random.Generator) -> str:
    told = named(concept, rng)
    return told if told not in concept.names else article(told)


def changed(edit: Edit) -> tuple[Concept | None, Concept | None]:
    """The thing that goes, or stands for the picture, and the one that comes."""
    before, after = edit.before.subjects, edit.after.subjects
    gone = next((concept for concept in before if concept not in after), before[0])
    return gone, next((concept for concept in after if concept not in before), None)


def side_of(edit: Edit) -> str:
    """Where the new thing stands, or the moved one."""
    if edit.kind == "add":
        return "right" if edit.after.subjects[0] == edit.before.subjects[0] else "left"
    return edit.after.place


def instruction(edit: Edit, rng: np.random.Generator, plain: bool = False) -> str:
    """One wording of the edit; `plain` is the one that evaluation and examples use."""
    words = EDIT_WORDS[edit.kind]
    gone, new = changed(edit)
    assert gone is not None
    thing = the(gone, rng) if not plain else f"the {gone.name}"
    alone = len(edit.before.subjects) == 1
    return (words[0] if plain else pick(words, rng)).format(
        colour=colour_words(edit.after),
        gone=thing,
        it="it" if alone and (plain or rng.random() < 0.5) else thing,
        new="" if new is None else article(new.name) if plain else new_words(new, rng),
        where=side_of(edit),
        direction=DIRECTIONS.get(side_of(edit), side_of(edit)),
    )


def moving(scene: Scene, move: str, rng: np.random.Generator, default: str | None = None) -> str:
    """A caption of the scene that also says how it moves.

    Half of them leave out how large the thing is: people who write a move do.
    """
    worded = caption if rng.random() < 0.5 else caption_without_place
    return f"{worded(scene, rng, default)}, {pick(MOVE_WORDS[move], rng)}"
