"""Reference pictures: what edit models see beside the words of an instruction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES, too_many_references
from nodeforge.values import Conditioning, Latent, LatentMismatchError

_TAUGHT = 32
"""Multiple of the sides of pictures that a model was taught to see with as many pixels."""


class ReferencesError(NodeForgeError):
    """References that a model does not take."""


class ReferenceSize(NamedTuple):
    """Width and height in which a model sees a picture, pixels.

    `stretched`: the picture is stretched to it, otherwise scaled and cropped in the middle.
    """

    width: int
    height: int
    stretched: bool = False


def reference_size(width: int, height: int, family: str, original: bool = False) -> ReferenceSize:
    """The size in which a model of `family` sees a picture of `width` and `height`.

    The nearest shape of those it was taught with, or its own shape with the pixels that it was
    taught with; where any will do, the picture's own, with at
    most the pixels of the pictures it was trained on, in multiples that its latent has.

    Args:
        width, height: Of the picture, pixels.
        family: A name in `FAMILIES`.
        original: Keep the picture's size, but for what is cropped to such multiples.
    """
    facts = FAMILIES[family]
    if facts.reference_sizes and not original:
        shape = width / height
        nearest = min(facts.reference_sizes, key=lambda size: abs(shape - size[0] / size[1]))
        return ReferenceSize(*nearest, stretched=True)
    if facts.reference_side and not original:
        wide, high = (facts.reference_side * (width / height) ** power for power in (0.5, -0.5))
        taught = (max(1, round(side / _TAUGHT)) * _TAUGHT for side in (wide, high))
        return ReferenceSize(*taught, stretched=True)
    scale = 1.0 if original else min(1.0, facts.native_size / math.sqrt(width * height))
    multiple = facts.size_multiple
    wide, high = (max(1, int(side * scale) // multiple) * multiple for side in (width, height))
    return ReferenceSize(wide, high)


def as_reference(latent: Latent, family: str) -> Latent:
    """A latent that a VAE has encoded, as models of `family` see it."""
    facts = FAMILIES[family]
    if facts.normalises_references:
        return latent
    assert facts.latent_space.factor, "of a space that normalises by a factor"
    return replace(latent, samples=latent.samples / facts.latent_space.factor)


def with_references(conditioning: Conditioning, references: Sequence[Latent]) -> Conditioning:
    """`conditioning` whose prompts show these pictures, too; one a picture.

    Raises:
        ReferencesError: no model of the family takes so many.
        LatentMismatchError: a latent is of another space.
    """
    family = FAMILIES[conditioning.family]
    count = sum(reference.batch for reference in references)
    check_references(count, conditioning.family)
    for reference in references:
        if reference.space != family.space:
            raise LatentMismatchError(
                f"a reference is of the space {reference.space}, {family.label} works in "
                f"{family.space}.",
                way_out="Encode it with the VAE that comes with the model.",
            )
    shown = tuple(
        Latent(reference.samples[item : item + 1], reference.space, reference.scale)
        for reference in references
        for item in range(reference.batch)
    )
    return conditioning.each(references=shown)


def check_references(count: int, family: str, variant: str | None = None, place: str = "") -> None:
    """Raise `ReferencesError` where a model takes fewer references.

    Args:
        count: Pictures that it is shown.
        family: A name in `FAMILIES`.
        variant: The model's, empty for a plain one; None where only the family is known.
        place: Where they come in.
    """
    if (problem := too_many_references(FAMILIES[family], variant, count)) is not None:
        fact, way_out = problem
        raise ReferencesError(fact, place=place, way_out=way_out)
