"""Whether an inpainted patch of plain or graded background shows an edge.

Kept-out scenes of nano's evaluation, drawn and as nano's autoencoder brings them back (its own
pictures have that texture); a patch beside the thing is inpainted. Across the mask's border the
mean colour step is compared with that of the untouched picture at the same places: between
neighbouring pixels, and between the means of 9-pixel windows on both sides, where a person sees
an edge that fades. Steps are in 255ths; of the drawn pictures, whose plain ground has no step at
all, they are told without a ratio. Needs what `tools.nano` was trained from.

python -m benchmarks.canvas_seams [--runs FOLDER] [--pictures 48] [--steps 10] [--json]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

from benchmarks.canvas_generation import CanvasSession
from benchmarks.reporting import options, tell
from nodeforge import diffusion
from nodeforge.canvas.generation.intents import Intent
from nodeforge.imaging import Bytes, to_bytes
from nodeforge.settings import shipped
from nodeforge.values import Image
from tools.nano.captions import PLACE_WORDS, article, prompt
from tools.nano.compose import background, draw
from tools.nano.concepts import Concept
from tools.nano.data import read_concepts, read_pictures
from tools.nano.pictures import SIZE
from tools.nano.runs import DEFAULT_RUNS
from tools.nano.scenes import COLOURS, Scene, held_out
from tools.nano.sheets import save_sheet

WINDOW = 9
GAP = 10
"""Pixels between a mask and the thing."""


class Steps(NamedTuple):
    """Mean absolute colour steps across a border, 255ths."""

    neighbours: float
    windows: float


def scenes(concepts: list[Concept], count: int) -> Iterator[Scene]:
    """Every other one on a gradient."""
    rng = np.random.default_rng(1)
    known = [scene for scene in held_out(concepts) if scene.place != "large"]
    for number in range(count):
        scene = known[int(rng.integers(len(known)))]
        second = str(rng.choice([name for name in COLOURS if name != scene.colour]))
        graded = second if number % 2 else None
        yield Scene(scene.subjects, scene.style, scene.place, scene.colour, graded)


def wording(scene: Scene) -> str:
    if scene.second_colour is None:
        return prompt(scene)
    thing, place = article(scene.subjects[0].name), PLACE_WORDS[scene.place][0]
    return f"{thing} on a gradient from {scene.colour} to {scene.second_colour}, {place}"


def patch_mask(picture: Bytes, scene: Scene, rng: np.random.Generator) -> Bytes:
    """A disc or a square somewhere on the background."""
    ground = background(scene.colour, scene.second_colour, SIZE).round().astype(np.uint8)
    thing = (np.abs(picture.astype(int) - ground).max(axis=2) > 0).astype(np.uint8)
    free = 1 - cv2.dilate(thing, np.ones((2 * GAP + 1, 2 * GAP + 1), np.uint8))
    room = cv2.distanceTransform(np.pad(free, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    radius = int(min(36, room.max() * 0.7))
    places = np.argwhere(room > radius * 1.42)
    y, x = (int(value) for value in places[rng.integers(len(places))])
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if rng.random() < 0.5:
        cv2.circle(mask, (x, y), radius, 255, -1)
    else:
        mask[y - radius : y + radius + 1, x - radius : x + radius + 1] = 255
    return mask


def steps_across(picture: Bytes, mask: Bytes) -> Steps:
    colours, inside = picture.astype(np.float32), (mask > 0).astype(np.float32)
    near = []
    for axis in (0, 1):
        crossing = np.diff(inside, axis=axis) != 0
        near.append(np.abs(np.diff(colours, axis=axis))[crossing].mean(axis=1))
    border = (inside > 0) & (cv2.erode(inside, np.ones((3, 3))) == 0)
    windows = np.abs(_means(colours, inside) - _means(colours, 1 - inside))[border]
    return Steps(float(np.concatenate(near).mean()), float(windows.mean()))


def _means(colours: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Of the pixels of one side in the window around each pixel."""
    count = cv2.blur(side, (WINDOW, WINDOW))
    total = cv2.blur(colours * side[..., None], (WINDOW, WINDOW))
    return total / np.maximum(count, 1e-6)[..., None]


class Autoencoder:
    """Nano's, there and back."""

    def __init__(self) -> None:
        self._vae = diffusion.describe(shipped("resources") / "models" / "nano").vae
        self._host = diffusion.LocalHost(diffusion.Residency("cpu"))

    def __call__(self, picture: Bytes) -> Bytes:
        image = Image(torch.from_numpy(picture[None].astype(np.float32) / np.float32(255)))
        with self._host.use(self._vae) as vae:
            latent = diffusion.encode(vae, image)
            return to_bytes(diffusion.decode(vae, latent).pixels[0].numpy())


def measure(runs: Path, count: int, steps: int, sheet: Path | None) -> dict[str, float]:
    concepts, styles = read_concepts(runs / "data"), read_pictures(runs / "data", ("3d",))
    session, there_and_back, rng = CanvasSession(), Autoencoder(), np.random.default_rng(2)
    found: dict[str, list[tuple[Steps, Steps]]] = {}
    shown: list[Bytes] = []
    for seed, scene in enumerate(scenes(concepts, count)):
        drawn = draw(scene, styles)
        mask = patch_mask(drawn, scene, rng)
        kind = "gradient" if scene.second_colour else "plain"
        for name, picture in (("drawn", drawn), ("nano", there_and_back(drawn))):
            made = session.generate(
                picture, mask, Intent.FILL,
                prompt__text=wording(scene), noise__seed=seed, schedule__steps=steps,
            )  # fmt: skip
            pair = steps_across(picture, mask), steps_across(made, mask)
            found.setdefault(f"{name}, {kind}", []).append(pair)
            shown += [picture, made]
    if sheet:
        save_sheet(sheet, shown[:96], columns=12)
    return figures(found)


def figures(found: dict[str, list[tuple[Steps, Steps]]]) -> dict[str, float]:
    told: dict[str, float] = {}
    for name, pairs in found.items():
        for what in Steps._fields:
            before, after = (float(np.mean([getattr(p[i], what) for p in pairs])) for i in (0, 1))
            told[f"{name}: {what} before"] = before
            told[f"{name}: {what} after"] = after
            if name.startswith("nano"):
                told[f"{name}: {what} ratio"] = after / before
    both = [pair for name, pairs in found.items() if name.startswith("nano") for pair in pairs]
    for what in Steps._fields:
        before, after = (sum(getattr(pair[i], what) for pair in both) for i in (0, 1))
        told[f"nano, all: {what} ratio"] = after / before
    return told


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=Path, default=DEFAULT_RUNS / "cpu")
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--sheet", type=Path, help="where to save a sheet of the pictures")
    given = parser.parse_args()
    told = measure(given.runs, given.pictures, given.steps, given.sheet)
    tell(told, given.json, lambda name, figure: f"{name:<40}{figure:8.2f}")


if __name__ == "__main__":
    main()
