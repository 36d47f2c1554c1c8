"""A ComfyUI workflow as plain data, whichever of its two forms it was written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nodeforge.graph.model import Mode

Rect = tuple[float, float, float, float]
"""x, y, width, height in ComfyUI's scene."""


CONTROL = frozenset({"fixed", "increment", "decrement", "randomize"})
"""What a seed may do after a run; it stands among the values, behind the seed."""

SEEDS = frozenset({"seed", "noise_seed", "value"})
"""Values that such a word may stand behind."""

MOST_SLOTS = 1000
"""Outputs that a node may have; a link from a later one is none."""


class Source(NamedTuple):
    """The output that a link comes from: a node's id, and which of its outputs."""

    node: str
    slot: int


@dataclass
class ComfyNode:
    """One node.

    Args:
        id: As in the file; inside a subgraph after its node's, as ``12:3``.
        kind: Its class.
        values: What its widgets hold, by name where the file says the names.
        loose: What its widgets hold, in their order, where the file says no names.
        links: Input name to what feeds it.
        input_types: Input name to ComfyUI's type, where the file says it.
        outputs: Name and ComfyUI's type of each output, where the file says them.
        title: What the person called it.
        rect: Where it is; None where the file does not say.
        colour: Of its title; ``#rrggbb``, or empty.
        collapsed: Only its title is shown.
    """

    id: str
    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    loose: list[Any] = field(default_factory=list)
    links: dict[str, Source] = field(default_factory=dict)
    input_types: dict[str, str] = field(default_factory=dict)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    mode: Mode = Mode.ACTIVE
    rect: Rect | None = None
    colour: str = ""
    collapsed: bool = False


@dataclass
class Frame:
    """A group: a frame behind nodes, in the subgraph of id `level`."""

    title: str
    rect: Rect
    colour: str = ""
    level: str = ""


@dataclass
class Box:
    """The node of a subgraph, whose inside has been put beside the other nodes."""

    title: str
    rect: Rect | None = None


def level_of(name: str) -> str:
    """The id of the subgraph that a node is in; empty for the root."""
    return name.rpartition(":")[0]


@dataclass
class ComfyGraph:
    """A workflow.

    Args:
        nodes: By id, in the order of the file, subgraphs taken apart.
        frames: Groups.
        boxes: The subgraphs' nodes by id; inner ones after outer ones.
        oddities: What of the file could not be read, as sentences.
    """

    nodes: dict[str, ComfyNode] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    boxes: dict[str, Box] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
