"""Edits that add and remove nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from nodeforge.graph.changes import (
    ABSENT,
    Change,
    EntryChanged,
    LinkAdded,
    LinkRemoved,
    NodeAdded,
    NodeRemoved,
)
from nodeforge.graph.document import Document
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.edits.exposed import close_ports
from nodeforge.graph.edits.tables import drop_entries
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.paths import Names, ancestors, inside, join, split, within
from nodeforge.graph.ports import input_names, input_spec, output_spec
from nodeforge.spec import Catalogue, fits


@dataclass(eq=False)
class AddNodes(GraphEdit):
    """Add nodes to the graph of `group`, with ids from their types.

    Args:
        nodes: New nodes, which belong to the document from then on.
        positions: Where each is to be, in scene units; may be shorter.
        group: The path of a subgraph; empty for the root.
    """

    nodes: Sequence[Node]
    positions: Sequence[tuple[float, float]] = ()
    group: str = ""
    paths: list[str] = field(default_factory=list, init=False)
    """Where the nodes are, once added."""

    @property
    def name(self) -> str:
        return f"add {count([node.type.rpartition('.')[2] for node in self.nodes])}"

    def changes(self, document: Document) -> Iterator[Change]:
        names = Names(document.ids(self.group))
        self.paths = [join(self.group, names(node.type)) for node in self.nodes]
        for path, node in zip(self.paths, self.nodes, strict=True):
            yield NodeAdded(path, node)
        for path, (x, y) in zip(self.paths, self.positions, strict=False):
            before = document.view.positions.get(path, ABSENT)
            yield EntryChanged("positions", path, before, [x, y])


@dataclass(eq=False)
class RemoveNodes(GraphEdit):
    """Remove nodes with their links, their ports on the subgraph around them, and their places.

    Args:
        paths: Which nodes.
        heal: With a catalogue, what fed a removed node feeds what it fed, where types allow.
    """

    paths: Collection[str]
    heal: Catalogue | None = None

    @property
    def name(self) -> str:
        return f"remove {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        gone = set(self.paths)
        groups: dict[str, set[str]] = defaultdict(set)
        for path in self.paths:
            document.node(path)
            if not any(outer in gone for outer in list(ancestors(path))[:-1]):
                group, name = split(path)
                groups[group].add(name)
        yield from drop_entries(document, gone)
        for group, names in groups.items():
            yield from self._remove(document, group, names)

    def _remove(self, document: Document, group: str, names: set[str]) -> Iterator[Change]:
        graph = document.group(group)
        bridges = _bridges(graph, names, self.heal) if self.heal else {}
        for end, start in list(graph.links.items()):
            if end.node in names or start.node in names:
                yield LinkRemoved(inside(group, end), within(group, start))
        yield from close_ports(document, group, names)
        for name in sorted(names):
            yield NodeRemoved(join(group, name), graph.nodes[name])
        for end, start in bridges.items():
            yield LinkAdded(inside(group, end), within(group, start))


@dataclass(eq=False)
class Detach(GraphEdit):
    """Take all links from nodes that stay; what fed them feeds what they fed, where types allow."""

    paths: Collection[str]
    heal: Catalogue

    @property
    def name(self) -> str:
        return f"pull out {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        groups: dict[str, set[str]] = defaultdict(set)
        for path in self.paths:
            document.node(path)
            group, name = split(path)
            groups[group].add(name)
        for group, names in groups.items():
            graph = document.group(group)
            bridges = _bridges(graph, names, self.heal)
            for end, start in list(graph.links.items()):
                if (end.node in names) != (start.node in names):
                    yield LinkRemoved(inside(group, end), within(group, start))
            for end, start in bridges.items():
                yield LinkAdded(inside(group, end), within(group, start))


def _bridges(graph: Graph, names: set[str], catalogue: Catalogue) -> dict[Input, Output]:
    """The links that replace the ways through the nodes `names`."""
    return {
        end: source
        for end, start in graph.links.items()
        if start.node in names and end.node not in names
        if (source := _through(graph, start, names, catalogue))
        and _fit(graph, source, end, catalogue)
    }


def _through(graph: Graph, output: Output, names: set[str], catalogue: Catalogue) -> Output | None:
    """What feeds the first linked input of the same type, as often as needed."""
    seen: set[Output] = set()
    while output.node in names:
        if output in seen or (feed := _fed_alike(graph, output, catalogue)) is None:
            return None
        seen.add(output)
        output = feed
    return output


def _fed_alike(graph: Graph, output: Output, catalogue: Catalogue) -> Output | None:
    node = graph.nodes.get(output.node)
    made = output_spec(node, output.port, catalogue)
    if node is None or made is None:
        return None
    for name in input_names(node, catalogue):
        port = input_spec(node, name, catalogue)
        if port is not None and port.type == made.type:
            end = Input(output.node, name, 0 if port.many else None)
            if feed := graph.links.get(end):
                return feed
    return None


def _fit(graph: Graph, start: Output, end: Input, catalogue: Catalogue) -> bool:
    made = output_spec(graph.nodes.get(start.node), start.port, catalogue)
    taken = input_spec(graph.nodes.get(end.node), end.port, catalogue)
    return made is not None and taken is not None and fits(made.type, taken.type)
