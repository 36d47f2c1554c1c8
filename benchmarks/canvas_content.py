"""Whether inpainting puts into a mask what the prompt says, judged by nano's recogniser.

A picture of two things, one of them masked, the prompt naming another: once with the box around
the mask, once with a box of the whole picture. Beside them, how often nano draws that thing at
that size and place from nothing. Combinations are kept out of training, the judge sees what is
in the mask alone. Needs what `tools.nano` was trained from.

python -m benchmarks.canvas_content [--runs FOLDER] [--tries 100] [--steps 10] [--json]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.canvas_generation import CanvasSession
from benchmarks.reporting import options, tell
from nodeforge.canvas.generation.intents import Intent
from nodeforge.imaging import Box, Bytes
from tools.nano.captions import article
from tools.nano.compose import background, draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.pictures import SIZE, Pictures
from tools.nano.recogniser import Recogniser, judge, load_recogniser
from tools.nano.runs import DEFAULT_RUNS
from tools.nano.scenes import COLOURS, Scene, is_held_out
from tools.nano.sheets import save_sheet

MARGIN = 6
"""Pixels around the masked thing."""


@dataclass(frozen=True)
class Try:
    """A pair of things; the one on `side` (0 left, 1 right) is to become `wanted`."""

    scene: Scene
    side: int
    wanted: Concept

    @property
    def prompt(self) -> str:
        subjects = list(self.scene.subjects)
        subjects[self.side] = self.wanted
        things = " and ".join(article(concept.name) for concept in subjects)
        return f"{things} on {article(self.scene.colour)} background"

    @property
    def filling(self) -> str:
        return f"{article(self.wanted.name)} on {article(self.scene.colour)} background"

    @property
    def alone(self) -> str:
        return f"{self.filling}, on the {('left', 'right')[self.side]}"


def tries(concepts: list[Concept], count: int) -> Iterator[Try]:
    """Combinations that training never showed."""
    rng = np.random.default_rng(0)
    made = 0
    while made < count:
        first, second, wanted = (concepts[i] for i in rng.choice(len(concepts), 3, replace=False))
        colour = str(rng.choice(list(COLOURS)))
        if not is_held_out(wanted.code, colour, "pair"):
            continue
        made += 1
        yield Try(Scene((first, second), "3d", "pair", colour), int(rng.integers(2)), wanted)


def mask_of(one: Try, styles: dict[str, Pictures]) -> Bytes:
    """The side's half of the picture, as far as its thing reaches."""
    ground = background(one.scene.colour, None, SIZE).round().astype(np.uint8)
    other = (np.abs(draw(one.scene, styles).astype(int) - ground).max(axis=2) > 0).astype(np.uint8)
    half = slice(0, SIZE // 2) if one.side == 0 else slice(SIZE // 2, SIZE)
    thing = np.zeros_like(other)
    thing[:, half] = other[:, half]
    left, top, width, height = cv2.boundingRect(thing)
    mask = np.zeros_like(other)
    mask[
        max(0, top - MARGIN) : top + height + MARGIN,
        max(half.start, left - MARGIN) : min(half.stop, left + width + MARGIN),
    ] = 255
    return mask


def inside(picture: Bytes, mask: Bytes, colour: str) -> Bytes:
    """What stands in the mask alone, on a plain square."""
    left, top, width, height = cv2.boundingRect(mask)
    side = round(max(width, height) * 1.1)
    square = background(colour, None, side).round().astype(np.uint8)
    x, y = (side - width) // 2, (side - height) // 2
    square[y : y + height, x : x + width] = picture[top : top + height, left : left + width]
    return square


@dataclass
class Bench:
    """The tries' pictures."""

    runs: Path
    steps: int

    def __post_init__(self) -> None:
        self.concepts = read_concepts(self.runs / "data")
        self.styles = read_pictures(self.runs / "data", ("3d",))
        self.judge: Recogniser = load_recogniser(self.runs, len(self.concepts))
        self.session = CanvasSession()

    def named(self, pictures: list[Bytes], wanted: list[Concept]) -> float:
        """The share of pictures that show what is wanted."""
        places = [self.concepts.index(concept) for concept in wanted]
        return judge(self.judge, pictures).top(places, 1)

    def measure(self, count: int, sheet: Path | None) -> dict[str, float]:
        wanted: list[Concept] = []
        judged: dict[str, list[Bytes]] = {"box": [], "whole": [], "nothing": []}
        shown: list[Bytes] = []
        untouched = 0
        for seed, one in enumerate(tries(self.concepts, count)):
            picture, mask = draw(one.scene, self.styles), mask_of(one, self.styles)
            made = {
                "box": self.painted(picture, mask, around(mask), one.filling, seed),
                "whole": self.painted(picture, mask, None, one.prompt, seed),
            }
            untouched += all((new[mask == 0] == picture[mask == 0]).all() for new in made.values())
            made["nothing"] = self.session.draw(one.alone, seed, self.steps)
            for name, new in made.items():
                judged[name].append(inside(new, mask, one.scene.colour))
            wanted.append(one.wanted)
            shown += [picture, *made.values()]
        if sheet:
            save_sheet(sheet, shown[:96], columns=12)
        return {
            "named first in the mask, box around it": self.named(judged["box"], wanted),
            "... box of the whole picture": self.named(judged["whole"], wanted),
            "... drawn from nothing at that place": self.named(judged["nothing"], wanted),
            "untouched outside of the mask": untouched / count,
        }

    def painted(
        self, picture: Bytes, mask: Bytes, box: Box | None, prompt: str, seed: int
    ) -> Bytes:
        form = {"prompt__text": prompt, "noise__seed": seed, "schedule__steps": self.steps}
        return self.session.generate(picture, mask, Intent.FILL, box, **form)


def around(mask: Bytes) -> Box:
    """A square that the masked thing nearly fills, as a person would lay the box."""
    left, top, width, height = cv2.boundingRect(mask)
    side = min(SIZE, -(-round(max(width, height) * 1.1) // 16) * 16)
    x = min(max(left + width // 2 - side // 2, 0), SIZE - side)
    y = min(max(top + height // 2 - side // 2, 0), SIZE - side)
    return Box(x, y, side, side)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=Path, default=DEFAULT_RUNS / "cpu")
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--sheet", type=Path, help="where to save a sheet of the pictures")
    given = parser.parse_args()
    figures = Bench(given.runs, given.steps).measure(given.tries, given.sheet)
    tell(figures, given.json, lambda name, figure: f"{name:<42}{figure:8.1%}")


if __name__ == "__main__":
    main()
