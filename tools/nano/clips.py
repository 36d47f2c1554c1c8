"""Short clips of one thing that moves: eight scenes a clip, each a picture of the compositor."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tools.nano.compose import draw
from tools.nano.concepts import Concept
from tools.nano.instructions import MOVE_WORDS
from tools.nano.latents import Scenery
from tools.nano.pictures import Pixels
from tools.nano.scenes import Scene, draw_scene, is_held_out

FRAMES: Final = 8
REACH: Final = 0.2  # of the side, to both sides of the middle
TURN: Final = 360 * (FRAMES - 1) / FRAMES  # degrees: the next frame would be the first again
SMALLEST: Final = 0.45
JUMPS: Final = 2

# How far a clip has come, 0 to 1, to (across, down, size, degrees).
Pose = tuple[float, float, float, float]
PATHS: Final[Mapping[str, Callable[[float], Pose]]] = {
    "left": lambda t: (REACH * (1 - 2 * t), 0, 1, 0),
    "right": lambda t: (REACH * (2 * t - 1), 0, 1, 0),
    "up": lambda t: (0, REACH * (1 - 2 * t), 1, 0),
    "down": lambda t: (0, REACH * (2 * t - 1), 1, 0),
    "growing": lambda t: (0, 0, SMALLEST + (1 - SMALLEST) * t, 0),
    "shrinking": lambda t: (0, 0, 1 - (1 - SMALLEST) * t, 0),
    "turning": lambda t: (0, 0, 1, TURN * t),
    "bouncing": lambda t: (0, REACH * (1 - 2 * abs(math.sin(math.pi * JUMPS * t))), 1, 0),
}
PLACES: Final = {"growing": "large", "shrinking": "large"}  # all others are small


@dataclass(frozen=True)
class Clip:
    """A scene in the middle of its path, and which way it moves (a key of `PATHS`)."""

    scene: Scene
    move: str

    def frames(self) -> list[Scene]:
        return [posed(self.scene, PATHS[self.move](i / (FRAMES - 1))) for i in range(FRAMES)]


def posed(scene: Scene, pose: Pose) -> Scene:
    across, down, size, degrees = pose
    shift = (scene.shift[0] + across, scene.shift[1] + down)
    return replace(scene, shift=shift, zoom=scene.zoom * size, angle=degrees)


def random_clip(
    concepts: Sequence[Concept],
    style: str,
    rng: np.random.Generator,
    moves: Sequence[str] = tuple(MOVE_WORDS),
    kept_out: bool = False,
) -> Clip:
    """A clip that training may show; or, for an evaluation, a thing on a colour kept out."""
    while True:
        scene = draw_scene(concepts, style, rng, pairs=0)
        move = str(rng.choice(moves))
        scene = replace(scene, place=PLACES.get(move, "small"))
        if is_held_out(scene.subjects[0].code, scene.colour, scene.place) == kept_out:
            return Clip(scene, move)


def clip_at(concepts: Sequence[Concept], style: str, index: int) -> Clip:
    """The training clip of that index."""
    return random_clip(concepts, style, np.random.default_rng((14, index)))


class ClipScenery(Scenery):
    """The frames of training clips, one clip after the other."""

    def draw(self, index: int) -> Pixels:
        clip = clip_at(self.concepts, self.styles[0], index // FRAMES)
        return draw(clip.frames()[index % FRAMES], self.pictures)


def path_of(pictures: Sequence[Pixels]) -> np.ndarray:
    """Where what is not background stands and how large it is, (frames, 3), as shares."""
    rows: list[tuple[float, float, float]] = []
    for picture in pictures:
        side = picture.shape[0]
        border = np.concatenate([picture[:, :4], picture[:, -4:]], axis=1)
        behind = np.median(border, axis=1)[:, None].astype(int)
        found = np.argwhere(np.abs(picture.astype(int) - behind).sum(2) > 60) / side
        if len(found) == 0:
            rows.append((0.5, 0.5, 0.0))
        else:
            down, across = found.mean(0)
            rows.append((across, down, len(found) ** 0.5 / side))
    return np.array(rows)


def nearest_move(path: np.ndarray, known: Mapping[str, np.ndarray]) -> str:
    """The kind whose path is most alike, wherever the clip stands and however large it is."""

    def centred(row: np.ndarray) -> np.ndarray:
        size = max(float(row[:, 2].max()), 1e-6)
        return np.column_stack([row[:, :2] - row[:, :2].mean(0), 0.5 * row[:, 2] / size])

    seen = centred(path)
    far = {move: float(np.square(seen - centred(row)).sum()) for move, row in known.items()}
    return min(far, key=lambda move: far[move])
