"""What a text names, as labels that the text encoder is taught to tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tools.nano.captions import caption
from tools.nano.changes import EDITS, Edit, random_edit
from tools.nano.concepts import Concept
from tools.nano.instructions import MOVE_WORDS, changed, instruction, moving, side_of
from tools.nano.scenes import COLOURS, PLACES, Scene, random_scene

Label = tuple[str, str]  # what it tells, and which
KIND_SHARES = (0.6, 0.25, 0.15)  # of texts: captions, edits, captions that move


@dataclass(frozen=True)
class Meanings:
    """Texts of every kind with their labels, over some concepts in some styles."""

    concepts: Sequence[Concept]
    styles: Sequence[str]

    @cached_property
    def positions(self) -> dict[Label, int]:
        codes = [concept.code for concept in self.concepts]
        groups: dict[str, Iterable[str]] = {
            "thing": codes,
            "gone": codes,
            "colour": COLOURS,
            "second colour": COLOURS,
            "place": PLACES,
            "edit": EDITS,
            "move": MOVE_WORDS,
        }
        labels = [(group, name) for group, names in groups.items() for name in names]
        return {label: position for position, label in enumerate(labels)}

    def __len__(self) -> int:
        return len(self.positions)

    def vector(self, labels: Iterable[Label]) -> Tensor:
        """Ones at the labels."""
        told = torch.zeros(len(self))
        told[[self.positions[label] for label in labels]] = 1
        return told

    def sample(self, rng: np.random.Generator) -> tuple[str, Tensor]:
        """A text of any kind, and what it means."""
        style = str(rng.choice(self.styles))
        kind = int(rng.choice(3, p=KIND_SHARES))
        if kind == 1:
            edit = random_edit(self.concepts, style, rng)
            return instruction(edit, rng), self.vector(of_edit(edit))
        scene = random_scene(self.concepts, style, rng)
        if kind == 0:
            return caption(scene, rng, self.styles[0]), self.vector(of_scene(scene))
        move = str(rng.choice(list(MOVE_WORDS)))
        told = moving(scene, move, rng, self.styles[0])
        return told, self.vector([*of_scene(scene), ("move", move)])

    def batch(self, count: int, rng: np.random.Generator) -> tuple[list[str], Tensor]:
        """Texts, and their labels as (count, labels)."""
        told = [self.sample(rng) for _ in range(count)]
        return [text for text, _ in told], torch.stack([labels for _, labels in told])


def of_colours(scene: Scene) -> list[Label]:
    second = scene.second_colour or scene.colour
    return [("colour", scene.colour), ("second colour", second)]


def of_scene(scene: Scene) -> list[Label]:
    """The scene's things, its colours from the top, and its place."""
    things = [("thing", subject.code) for subject in scene.subjects]
    place = [("place", scene.place)] if scene.place in PLACES else []
    return [*things, *of_colours(scene), *place]


def of_edit(edit: Edit) -> list[Label]:
    """The kind of edit and what its wordings name, not the rest of the pictures."""
    gone, new = changed(edit)
    told: list[Label] = [("edit", edit.kind)]
    if edit.kind == "background":
        told += of_colours(edit.after)
    if edit.kind == "move":
        told.append(("place", side_of(edit)))
    if edit.kind in {"replace", "remove"} and gone is not None:
        told.append(("gone", gone.code))
    if new is not None:
        told.append(("thing", new.code))
    return told
