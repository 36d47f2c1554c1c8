"""The document's data: nodes and the links between their ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

SUBGRAPH = "subgraph"
"""The type of a node that holds a graph of its own."""


class Mode(StrEnum):
    """Whether a node takes part in a run."""

    ACTIVE = ""
    MUTE = "mute"
    BYPASS = "bypass"


class Output(NamedTuple):
    """Where a link starts."""

    node: str
    port: str

    def __str__(self) -> str:
        return f"{self.node}.{self.port}"


class Input(NamedTuple):
    """Where a link ends; `item` counts the places of a list port."""

    node: str
    port: str
    item: int | None = None

    def __str__(self) -> str:
        return f"{self.node}.{self.port}" + ("" if self.item is None else f"[{self.item}]")


@dataclass
class Node:
    """One node: its type, and the values the user gave its unlinked inputs (JSON)."""

    type: str
    values: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    mode: Mode = Mode.ACTIVE
    pin: bool = False
    lint: dict[str, str] = field(default_factory=dict)
    """Rules of the linter that are silenced here, by code or name, with the reason."""
    version: int = field(default=0, compare=False)
    """The version of its type that the values are for; 0 is today's."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of the file that this version does not know, kept."""


@dataclass
class Graph:
    """Nodes by id, and for each linked input the output that feeds it."""

    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[Input, Output] = field(default_factory=dict)


@dataclass
class Subgraph(Node):
    """A node that holds a graph; its ports stand for ports inside.

    Args:
        inputs: Port name to the inputs inside that it feeds.
        outputs: Port name to the output inside that it shows.
        exposed: Port name to how the input is shown (`nodeforge.graph.presentation`).
    """

    type: str = SUBGRAPH
    graph: Graph = field(default_factory=Graph)
    inputs: dict[str, list[Input]] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    exposed: dict[str, Any] = field(default_factory=dict)


class Upgraded(NamedTuple):
    """A node whose values or links were brought from an older version of its type to today's."""

    path: str
    type: str
    before: int
    after: int
