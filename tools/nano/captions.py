"""Captions of a scene: the same picture is worded anew each time it is shown.

The order of the parts is shuffled little on purpose: a small text encoder learns few forms
well. What a caption leaves out (the background, the style) the picture is free to choose.
"""

from dataclasses import replace

import numpy as np

from tools.nano.concepts import Concept
from tools.nano.scenes import Scene

PLACE_WORDS = {
    "large": ("", "", "large"),
    "small": ("small", "small", "small, in the centre"),
    "left": ("small, on the left", "on the left"),
    "right": ("small, on the right", "on the right"),
    "top": ("small, at the top", "at the top"),
    "bottom": ("small, at the bottom", "at the bottom"),
    "pair": ("",),
}


def pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def article(word: str) -> str:
    """'a fox', 'an owl'; a plural such as 'grapes' goes without."""
    if word.endswith("s") and not word.endswith(("ss", "us", "bus")):
        return word
    vowel = word[0] in "aeio" or (word[0] == "u" and not word.startswith(("uni", "ufo")))
    return f"{'an' if vowel else 'a'} {word}"


def caption(scene: Scene, rng: np.random.Generator, default: str | None = None) -> str:
    """One wording of the scene, such as 'a fox on a yellow background, on the left, 3d'.

    A style other than the model's default is always named, the default now and then.
    """
    things = " and ".join(named(concept, rng) for concept in scene.subjects)
    place = pick(PLACE_WORDS[scene.place], rng)
    behind = background_words(scene, rng) if rng.random() < 0.85 else ""
    unusual = default is not None and scene.style != default
    style = scene.style if unusual or rng.random() < 0.25 else ""
    if style and rng.random() < 0.3:
        return ", ".join(part for part in (f"{style} style", things + behind, place) if part)
    return ", ".join(part for part in (things + behind, place, style) if part)


def caption_or_none(
    scene: Scene, rng: np.random.Generator, empty_share: float, default: str | None = None
) -> str:
    """A caption, or now and then nothing, which is what guidance compares with."""
    return "" if rng.random() < empty_share else caption(scene, rng, default)


def caption_without_place(
    scene: Scene, rng: np.random.Generator, default: str | None = None
) -> str:
    """A wording that leaves open where the things stand and how large they are."""
    return caption(replace(scene, place="pair"), rng, default)


def named(concept: Concept, rng: np.random.Generator) -> str:
    """The usual name two times of three, else one of its synonyms; with an article or without."""
    usual = len(concept.names) == 1 or rng.random() < 0.67
    word = concept.name if usual else pick(concept.names[1:], rng)
    return article(word) if rng.random() < 0.7 else word


def background_words(scene: Scene, rng: np.random.Generator) -> str:
    if scene.second_colour:
        return f" on a gradient from {scene.colour} to {scene.second_colour}"
    plain = f" on {article(scene.colour)} background"
    return pick((plain, plain, plain, f", {scene.colour} background"), rng)


def prompt(scene: Scene) -> str:
    """The plain wording that evaluation and examples use."""
    things = " and ".join(article(concept.name) for concept in scene.subjects)
    place = PLACE_WORDS[scene.place][0]
    described = f"{things} on {article(scene.colour)} background"
    return f"{described}, {place}" if place else described
