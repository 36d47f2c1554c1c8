"""A ComfyUI workflow as plain data, whichever of its two forms it was written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nodeforge.graph.model import Mode

Rect = tuple[float, float, float, float]
"""x, y, width, height in ComfyUI's scene."""


CONTROL = frozenset({"fixed", "increment", "decrement", "randomize"})
"""Values of *control after generate*, which follows the seed among the widget values."""

SEEDS = frozenset({"seed", "noise_seed", "value"})
"""Widgets that may be followed by *control after generate*."""

MOST_SLOTS = 1000
"""Most outputs of a node; a link from a higher slot is dropped."""


def control_word(value: Any) -> str:
    """What `value`, behind a seed, says of *control after generate*; empty where it is another.

    Front ends of early 2023 wrote true for randomize and false for fixed.
    """
    if type(value) is bool:
        return "randomize" if value else "fixed"
    return value if type(value) is str and value in CONTROL else ""


class Source(NamedTuple):
    """The origin of a link: a node's id and the index of its output."""

    node: str
    slot: int


@dataclass
class ComfyNode:
    """One node.

    Args:
        id: As in the file; inside a subgraph with its node's id before it, as ``12:3``.
        class_type: Its class.
        values: Widget values by name, where the file names them.
        unnamed_values: Widget values in order, where the file does not name them.
        links: Input name to the origin of its link.
        input_types: Input name to ComfyUI's type, where the file has it.
        outputs: Name and ComfyUI's type of each output, where the file has them.
        title: The user's title.
        rect: Its position and size; None where the file has none.
        colour: Title colour ``#rrggbb``, or empty.
        collapsed: Only its title is shown.
        from_ui: It was read from the UI form, in which prompts still have comments.
    """

    id: str
    class_type: str
    values: dict[str, Any] = field(default_factory=dict)
    unnamed_values: list[Any] = field(default_factory=list)
    links: dict[str, Source] = field(default_factory=dict)
    input_types: dict[str, str] = field(default_factory=dict)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    mode: Mode = Mode.ACTIVE
    rect: Rect | None = None
    colour: str = ""
    collapsed: bool = False
    from_ui: bool = False


@dataclass
class Group:
    """A group in the scene of the subgraph with id `subgraph`."""

    title: str
    rect: Rect
    colour: str = ""
    subgraph: str = ""


@dataclass
class SubgraphNode:
    """A subgraph node; its inner nodes are in the workflow's flat table of nodes."""

    title: str
    rect: Rect | None = None


def subgraph_of(name: str) -> str:
    """The id of the subgraph that a node is in; empty for the root."""
    return name.rpartition(":")[0]


@dataclass
class ComfyGraph:
    """A workflow.

    Args:
        nodes: By id, in the order of the file, subgraphs flattened.
        groups: Groups of all scenes.
        subgraphs: Subgraph nodes by id; inner ones after outer ones.
        problems: What in the file could not be read, as sentences.
    """

    nodes: dict[str, ComfyNode] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    subgraphs: dict[str, SubgraphNode] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
