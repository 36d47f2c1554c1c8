"""Groups of layers in a list from the bottom to the top.

A group's own entry lies directly above what is in it, so that a list of layers and groups is as
a view shows it, turned upside down. A layer whose group is not in a list counts as in none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nodeforge.canvas.document.layer import Layer


@dataclass
class Nested:
    """A layer, and of a group what is in it, the lowest first."""

    layer: Layer
    inside: list[Nested] = field(default_factory=list)


def nested(layers: Iterable[Layer]) -> list[Nested]:
    """The layers as a tree, the lowest first."""
    layers = list(layers)
    groups = {layer.id for layer in layers if layer.is_group}
    content: dict[str, list[Nested]] = {"": []}
    for layer in layers:
        made = Nested(layer, content.setdefault(layer.id, []) if layer.is_group else [])
        content.setdefault(layer.group if layer.group in groups else "", []).append(made)
    return content[""]


def switched_on(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that are visible, and in no group that is not."""
    hidden: set[str] = set()
    found: list[Layer] = []
    for layer in reversed(layers):
        if layer.visible and layer.group not in hidden:
            found.append(layer)
        elif layer.is_group:
            hidden.add(layer.id)
    return found[::-1]


def inside(layers: Sequence[Layer], id: str) -> tuple[Layer, ...]:
    """All layers and groups in a group, at any depth, the lowest first."""
    groups = {id}
    found: list[Layer] = []
    for layer in reversed(layers):
        if layer.group in groups:
            found.append(layer)
            if layer.is_group:
                groups.add(layer.id)
    return tuple(reversed(found))


def misplaced(layers: Sequence[Layer]) -> Layer | None:
    """The highest layer that does not lie in the group that it names; None where all do."""
    opened: list[str] = [""]
    for layer in reversed(layers):
        while layer.group != opened[-1]:
            opened.pop()
            if not opened:
                return layer
        if layer.is_group:
            opened.append(layer.id)
    return None


def deepest(layers: Sequence[Layer]) -> int:
    """How many groups are in each other at most; of layers that are in place."""
    depths = {"": 0}
    for layer in reversed(layers):
        if layer.is_group:
            depths[layer.id] = depths[layer.group] + 1
    return max(depths.values())
