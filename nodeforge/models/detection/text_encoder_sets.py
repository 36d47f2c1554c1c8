"""Which family reads prompts with text encoders that lie in files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nodeforge.models.detection.info import Kind, ModelInfo
from nodeforge.models.families import FAMILIES, Family


class EncoderSet(NamedTuple):
    """Text encoders in the order of their parts of an embedding, and who reads with them."""

    family: Family
    encoders: tuple[ModelInfo, ...]


def encoder_set(given: Sequence[ModelInfo], family: str = "") -> EncoderSet | None:
    """The family that reads with just these text encoders, given in any order.

    Args:
        given: Text encoders alone.
        family: The one that is meant; empty is the first that they suffice for.

    Returns:
        None where no family does, or not the one that is meant.
    """
    if any(info.kind is not Kind.TEXT_ENCODER or not info.encoder for info in given):
        return None
    by_kind = {info.encoder: info for info in given}
    for each in [FAMILIES[family]] if family else FAMILIES.values():
        kinds = tuple(each.text_encoders.values())
        if len(by_kind) == len(given) and set(kinds) == set(by_kind):
            return EncoderSet(each, tuple(by_kind[kind] for kind in kinds))
    return None
