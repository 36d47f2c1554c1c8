"""Pairs text encoders that come in two files, as SDXL's clip_l and clip_g."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.families import FAMILIES, Family


class EncoderPair(NamedTuple):
    """Two text encoders in the order of their parts of an embedding, and who reads with them."""

    family: Family
    first: ModelInfo
    second: ModelInfo


def paired(one: ModelInfo, other: ModelInfo) -> EncoderPair | None:
    """The family that reads with both text encoders, given in any order; None where none does."""
    if {one.kind, other.kind} != {Kind.TEXT_ENCODER}:
        return None
    for family in FAMILIES.values():
        for first, second in ((one, other), (other, one)):
            two = len(family.text_encoders) == 2 and second.width in family.text_widths
            if two and (first.width or 0) + (second.width or 0) == family.width:
                return EncoderPair(family, first, second)
    return None
