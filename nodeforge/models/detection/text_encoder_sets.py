"""Which family reads prompts with text encoders that lie in files of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.families import FAMILIES, Family


class EncoderSet(NamedTuple):
    """Text encoders by kind, and who reads with them."""

    family: Family
    encoders: Mapping[str, ModelInfo]


def encoder_set(
    given: Sequence[ModelInfo], family: str = "", beside: Collection[str] = ()
) -> EncoderSet | None:
    """The family that reads with just these text encoders, given in any order.

    Args:
        given: Text encoders alone.
        family: The one that is meant; empty is the first that reads with all of its own, else the
            first that they suffice for.
        beside: Kinds that the family's model has itself.

    Returns:
        None where no family does, or not the one that is meant.
    """
    if any(info.kind is not Kind.TEXT_ENCODER or not info.encoder for info in given):
        return None
    by_kind = {info.encoder: info for info in given}
    if len(by_kind) < len(given):
        return None
    there = {*by_kind, *beside}
    asked = [FAMILIES[family]] if family else list(FAMILIES.values())
    asked.sort(key=lambda each: set(each.text_encoders.values()) != there)
    for each in asked:
        kinds = set(each.text_encoders.values())
        if kinds - {*each.optional_encoders} <= there <= kinds:
            return EncoderSet(each, by_kind)
    return None
