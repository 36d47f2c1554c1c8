"""What a training picture shows, as plain data: a caption and the pixels are made from it.

Combinations kept out of training are chosen by a digest, so that they are the same on every
machine, for every preset, without a list to carry along.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.nano.concepts import Concept

COLOURS: Final = {
    "white": (250, 250, 250),
    "black": (16, 16, 18),
    "grey": (128, 130, 134),
    "red": (214, 40, 40),
    "orange": (245, 130, 30),
    "yellow": (250, 212, 50),
    "green": (46, 160, 76),
    "blue": (44, 98, 214),
    "purple": (126, 60, 180),
    "pink": (245, 150, 190),
}
# Centre of the thing as shares of width and height, and how long its side is.
PLACES: Final = {
    "large": (0.5, 0.5, 0.88),
    "small": (0.5, 0.5, 0.48),
    "left": (0.29, 0.5, 0.5),
    "right": (0.71, 0.5, 0.5),
    "top": (0.5, 0.29, 0.5),
    "bottom": (0.5, 0.71, 0.5),
}
PAIR_PLACES: Final = ((0.265, 0.5, 0.5), (0.735, 0.5, 0.5))
HELD_OUT_SHARE: Final = 0.1
FLIPPED_SHARE: Final = 0.1
PLACE_WEIGHTS: Final = (0.55, 0.13, 0.08, 0.08, 0.08, 0.08)
EVEN_PLACES: Final = (1 / 6,) * 6


@dataclass(frozen=True)
class Scene:
    """One picture: its things from left to right, what is behind them, and small accidents.

    `shift` moves everything by shares of the side, `zoom` scales it, `angle` turns it clockwise by
    degrees, `second_colour` makes the background a gradient downwards.
    """

    subjects: tuple[Concept, ...]
    style: str
    place: str
    colour: str
    second_colour: str | None = None
    flipped: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    angle: float = 0.0


def is_held_out(code: str, colour: str, place: str) -> bool:
    """Whether training never shows this thing there before this background."""
    digest = hashlib.sha256(f"{code}/{colour}/{place}".encode()).digest()
    return int.from_bytes(digest[:4]) < HELD_OUT_SHARE * 2**32


def held_out(concepts: Sequence[Concept]) -> list[Scene]:
    """Every combination kept out of training, as the scenes an evaluation asks for."""
    return [
        Scene((concept,), "3d", place, colour)
        for concept in concepts
        for colour in COLOURS
        for place in PLACES
        if is_held_out(concept.code, colour, place)
    ]


def random_scene(
    concepts: Sequence[Concept],
    style: str,
    rng: np.random.Generator,
    pairs: float = 0.12,
    places: Sequence[float] = PLACE_WEIGHTS,
) -> Scene:
    """A scene that training may show; `pairs` is the share of pictures with two things."""
    while True:
        scene = draw_scene(concepts, style, rng, pairs, places)
        shown = (is_held_out(c.code, scene.colour, scene.place) for c in scene.subjects)
        if not any(shown):
            return scene


def draw_scene(
    concepts: Sequence[Concept],
    style: str,
    rng: np.random.Generator,
    pairs: float,
    places: Sequence[float] = PLACE_WEIGHTS,
) -> Scene:
    count = 2 if len(concepts) > 1 and rng.random() < pairs else 1
    chosen = rng.choice(len(concepts), size=count, replace=False)
    subjects = tuple(concepts[int(index)] for index in chosen)
    colours = [str(name) for name in rng.permutation(list(COLOURS))[:2]]
    place = "pair" if count == 2 else str(rng.choice(list(PLACES), p=places))
    return Scene(
        subjects=subjects,
        style=style,
        place=place,
        colour=colours[0],
        second_colour=colours[1] if rng.random() < 0.15 else None,
        flipped=all(c.may_flip for c in subjects) and bool(rng.random() < FLIPPED_SHARE),
        shift=(float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.03, 0.03))),
        zoom=float(rng.uniform(0.93, 1.05)),
    )
