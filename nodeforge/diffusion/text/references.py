"""Reference pictures: what edit models see beside the words of an instruction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Latent, LatentMismatchError

_MOST_PIXELS = 1024 * 1024
"""Of a reference; larger ones are scaled down, as pipelines of edit models do."""
_WAY_OUT = "Choose an edit model, such as Flux.1 Kontext or Flux.2 klein."


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

    The nearest shape of those it was taught with; where any will do, the picture's own, at most
    a megapixel, in multiples that its latent has.

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
    scale = 1.0 if original else min(1.0, math.sqrt(_MOST_PIXELS / (width * height)))
    multiple = facts.size_multiple
    wide, high = (max(1, int(side * scale) // multiple) * multiple for side in (width, height))
    return ReferenceSize(wide, high)


def with_references(conditioning: Conditioning, references: Sequence[Latent]) -> Conditioning:
    """`conditioning` whose prompts show these pictures, too; one a picture.

    Raises:
        ReferencesError: no model of the family takes so many.
        LatentMismatchError: a latent is of another space.
    """
    family = FAMILIES[conditioning.family]
    check_references(len(references), family.most_references, family.label)
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
    check_references(len(shown), family.most_references, family.label)
    return conditioning.each(references=shown)


def check_references(count: int, most: int, model: str, place: str = "") -> None:
    """Raise `ReferencesError` where a model takes fewer references."""
    if count <= most:
        return
    if not most:
        fact = f"{model} takes no reference pictures."
        raise ReferencesError(fact, place=place, way_out=_WAY_OUT)
    raise ReferencesError(
        f"{model} takes {most} reference picture{'s' if most > 1 else ''}, these are {count}.",
        place=place,
        way_out="Leave some out.",
    )
