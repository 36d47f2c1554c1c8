"""Edits that link and unlink. Ports are addressed from the root: ``group/denoise.model``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nodeforge.graph.changes import Change, LinkAdded, LinkRemoved
from nodeforge.graph.document import Document
from nodeforge.graph.edits.base import GraphEdit
from nodeforge.graph.edits.nodes import AddNodes
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import split, within
from nodeforge.graph.ports import input_names, input_spec, output_names, output_spec
from nodeforge.spec import Catalogue, fits


@dataclass(eq=False)
class Link(GraphEdit):
    """Feed `end` from `output`, instead of what fed it. `can_link` tells whether it is wise."""

    output: Output
    end: Input

    @property
    def name(self) -> str:
        return f"link {self.end}"

    def changes(self, document: Document) -> Iterator[Change]:
        document.node(self.output.node)
        document.node(self.end.node)
        before = source_of(document, self.end)
        if before == self.output:
            return
        if before is not None:
            yield LinkRemoved(self.end, before)
        yield LinkAdded(self.end, self.output)


@dataclass(eq=False)
class Unlink(GraphEdit):
    """Let nothing feed `end`; it keeps the value it had. Other places of a list stay."""

    end: Input

    @property
    def name(self) -> str:
        return f"unlink {self.end}"

    def changes(self, document: Document) -> Iterator[Change]:
        before = source_of(document, self.end)
        if before is not None:
            yield LinkRemoved(self.end, before)


class Through(NamedTuple):
    """The ports by which a node stands in a link; `item` where `into` is a list."""

    into: str
    out_of: str
    item: int | None = None


@dataclass(eq=False)
class InsertOnLink(GraphEdit):
    """Add a node in the middle of the link to `end`; `ports_through` finds its two ports."""

    end: Input
    node: Node
    through: Through
    position: tuple[float, float] | None = None
    path: str = field(default="", init=False)
    """Where the node is, once added."""

    @property
    def name(self) -> str:
        return f"insert {self.node.type.rpartition('.')[2]}"

    def changes(self, document: Document) -> Iterator[Change]:
        document.node(self.end.node)
        before = source_of(document, self.end)
        positions = [self.position] if self.position else []
        add = AddNodes([self.node], positions, split(self.end.node)[0])
        yield from add.changes(document)
        self.path = add.paths[0]
        if before is not None:
            yield LinkRemoved(self.end, before)
            yield LinkAdded(Input(self.path, self.through.into, self.through.item), before)
        yield LinkAdded(self.end, Output(self.path, self.through.out_of))


def source_of(document: Document, end: Input) -> Output | None:
    """What feeds `end` in its own graph, addressed from the root."""
    graph, name = document.place(end.node)
    start = graph.links.get(Input(name, end.port, end.item))
    return start and within(split(end.node)[0], start)


def free_item(document: Document, path: str, port: str) -> Input:
    """The first free place of a list port."""
    graph, name = document.place(path)
    taken = {end.item for end in graph.links if end.node == name and end.port == port}
    item = next(number for number in range(len(taken) + 1) if number not in taken)
    return Input(path, port, item)


def ports_through(
    document: Document, end: Input, node: Node, catalogue: Catalogue
) -> Through | None:
    """The ports by which `node` can stand in the link to `end`, or None."""
    start = source_of(document, end)
    source = output_spec(document.node(start.node), start.port, catalogue) if start else None
    target = input_spec(document.node(end.node), end.port, catalogue)
    if source is None or target is None:
        return None
    into = (
        port
        for name in input_names(node, catalogue)
        if (port := input_spec(node, name, catalogue)) and fits(source.type, port.type)
    )
    out_of = (
        port
        for name in output_names(node, catalogue)
        if (port := output_spec(node, name, catalogue)) and fits(port.type, target.type)
    )
    first, last = next(into, None), next(out_of, None)
    if first is None or last is None:
        return None
    return Through(first.name, last.name, 0 if first.many else None)
