"""Which models of a person's a shipped workflow needs: its field ``needs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nodeforge.formats.errors import WrongShapeError
from nodeforge.graph.document import Document

FIELD = "needs"
_KINDS = {"kind": str, "family": str, "size": int, "licence": str}


@dataclass(frozen=True)
class NeededModel:
    """A model that does not ship.

    Args:
        kind: ``checkpoint``, ``text_encoder``, ...: a name in `nodeforge.models.Kind`.
        family: A name in `nodeforge.models.FAMILIES`.
        size: Of its files, bytes, about.
        licence: Its name.
    """

    kind: str
    family: str
    size: int
    licence: str


def needed_models(document: Document) -> tuple[NeededModel, ...]:
    """What a workflow says it needs; empty where it says nothing.

    Raises:
        WrongShapeError: it is no list of such models.
    """
    told = document.extra.get(FIELD, [])
    if not isinstance(told, list):
        raise WrongShapeError("is not a list.", place=FIELD)
    return tuple(_needed(each, f"{FIELD}[{number}]") for number, each in enumerate(told))


def _needed(told: Any, place: str) -> NeededModel:
    if not isinstance(told, Mapping) or told.keys() != _KINDS.keys():
        names = ", ".join(each.name for each in fields(NeededModel))
        raise WrongShapeError(f"is not an object of {names}.", place=place)
    for name, kind in _KINDS.items():
        if not isinstance(told[name], kind) or isinstance(told[name], bool):
            raise WrongShapeError("is of the wrong kind.", place=f"{place}.{name}")
    return NeededModel(**told)
