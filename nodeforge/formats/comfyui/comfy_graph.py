"""A ComfyUI workflow as plain data, whichever of its two forms it was written in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.graph_json import MAX_NODES
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

    Front ends of early 2023 wrote true for randomize and false for fixed; packs that have a button
    there write null.
    """
    if value is None:
        return "fixed"
    if type(value) is bool:
        return "randomize" if value else "fixed"
    return value if type(value) is str and value in CONTROL else ""


class Source(NamedTuple):
    """The origin of a link: a node's id and the index of its output."""

    node: str
    slot: int


class ModelFile(NamedTuple):
    """A model file that a node needs: its name, ComfyUI's folder for it, and its address."""

    name: str
    directory: str
    url: str


@dataclass
class ComfyNode:
    """One node.

    Args:
        id: As in the file; inside a subgraph with its node's id before it, as ``12:3``.
        class_type: Its class.
        values: Widget values by name, where the file names them.
        unnamed_values: Widget values in order, where the file does not name them.
        links: Input name to the origin of its link.
        unfed: Linked inputs that get nothing, as a bypassed subgraph passes nothing on to them.
        optional: Inputs that need not be linked, where the file says so.
        input_types: Input name to ComfyUI's type, where the file has it.
        outputs: Name and ComfyUI's type of each output, where the file has them.
        title: The user's title.
        rect: Its position and size; None where the file has none.
        colour: Title colour ``#rrggbb``, or empty.
        collapsed: Only its title is shown.
        inactive: It is in a bypassed subgraph, at any depth.
        models: Addresses of model files that it needs.
        from_ui: It was read from the UI form, in which prompts still have comments.
    """

    id: str
    class_type: str
    values: dict[str, Any] = field(default_factory=dict)
    unnamed_values: list[Any] = field(default_factory=list)
    links: dict[str, Source] = field(default_factory=dict)
    unfed: list[str] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)
    input_types: dict[str, str] = field(default_factory=dict)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    mode: Mode = Mode.ACTIVE
    rect: Rect | None = None
    colour: str = ""
    collapsed: bool = False
    inactive: bool = False
    models: list[ModelFile] = field(default_factory=list)
    from_ui: bool = False

    @property
    def label(self) -> str:
        return f"{self.id} {self.class_type[:60]}"

    @property
    def is_active(self) -> bool:
        """Whether it takes part in a run."""
        return self.mode is Mode.ACTIVE and not self.inactive


@dataclass
class Group:
    """A group in the scene of the subgraph with id `subgraph`."""

    title: str
    rect: Rect
    colour: str = ""
    subgraph: str = ""


@dataclass
class SubgraphNode:
    """A subgraph node; its inner nodes are in the workflow's flat table of nodes.

    Args:
        outputs: What its outputs would show, where it is bypassed.
    """

    title: str
    rect: Rect | None = None
    mode: Mode = Mode.ACTIVE
    outputs: list[Source] = field(default_factory=list)


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

    def add(self, node: ComfyNode) -> None:
        """Add a node.

        Raises:
            TooLargeError: there are too many.
        """
        if other := self.nodes.get(node.id):
            kinds = " and ".join(dict.fromkeys([other.class_type[:60], node.class_type[:60]]))
            self.problems.append(f"Two nodes have the id {node.id} ({kinds}); the last one counts.")
        self.nodes[node.id] = node
        if len(self.nodes) > MAX_NODES:
            raise TooLargeError(f"has more than {MAX_NODES:,} nodes.")

    def drop_broken_links(self) -> None:
        """Drop links from nodes that are not there, and say so."""
        for node in self.nodes.values():
            for name, source in list(node.links.items()):
                if source.node in self.nodes:
                    continue
                del node.links[name]
                what = f"node {source.node[:40]}, which is not in the file"
                if source.node in self.subgraphs:
                    what = f"an output of subgraph {source.node} that nothing feeds"
                self.problems.append(
                    f"{node.label}: its '{name[:40]}' is linked to {what}; the link was left out."
                )


def in_order(graph: ComfyGraph) -> Iterator[ComfyNode]:
    """Nodes in topological order; a link that closes a cycle is left out, and that is told."""
    state: dict[str, int] = {}
    for root in graph.nodes:
        stack = [(root, iter(list(graph.nodes[root].links.items())))] if root not in state else []
        state.setdefault(root, 1)
        while stack:
            name, rest = stack[-1]
            for port, source in rest:
                if state.get(source.node) == 1:
                    graph.nodes[name].links.pop(port)
                    graph.problems.append(f"{name} feeds itself; its link '{port}' was left out.")
                elif source.node in graph.nodes and source.node not in state:
                    state[source.node] = 1
                    stack.append((source.node, iter(list(graph.nodes[source.node].links.items()))))
                    break
            else:
                state[name] = 2
                stack.pop()
                yield graph.nodes[name]
