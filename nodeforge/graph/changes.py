"""The elementary changes of a document, of which edits are made and of which listeners are told.

Each names what it changes and holds what was there before, so its inverse needs no document.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from nodeforge.graph.model import Graph, Input, Node, Output

if TYPE_CHECKING:
    from nodeforge.graph.document import Document


class Absent(Enum):
    """The value of what is not there."""

    ABSENT = 0


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """A node (with all inside it, for a subgraph) is now at `path`."""

    path: str
    node: Node

    def apply(self, document: Document) -> None:
        graph, name = document.place(self.path)
        graph.nodes[name] = self.node

    def inverse(self) -> Change:
        return NodeRemoved(self.path, self.node)


@dataclass(frozen=True, slots=True)
class NodeRemoved:
    """The node at `path` is gone; its links were removed before."""

    path: str
    node: Node

    def apply(self, document: Document) -> None:
        graph, name = document.place(self.path)
        del graph.nodes[name]

    def inverse(self) -> Change:
        return NodeAdded(self.path, self.node)


@dataclass(frozen=True, slots=True)
class LinkAdded:
    """`input` is now fed by `output`, both addressed from the root and in one graph."""

    input: Input
    output: Output

    def apply(self, document: Document) -> None:
        graph, end, start = document.link_place(self.input, self.output)
        graph.links[end] = start

    def inverse(self) -> Change:
        return LinkRemoved(self.input, self.output)


@dataclass(frozen=True, slots=True)
class LinkRemoved:
    """`input` is no longer fed by `output`."""

    input: Input
    output: Output

    def apply(self, document: Document) -> None:
        graph, end, _ = document.link_place(self.input, self.output)
        del graph.links[end]

    def inverse(self) -> Change:
        return LinkAdded(self.input, self.output)


@dataclass(frozen=True, slots=True)
class ValueChanged:
    """The value of a node's input; `ABSENT` where it has none of its own."""

    path: str
    port: str
    before: Any
    after: Any

    def apply(self, document: Document) -> None:
        _put(document.node(self.path).values, self.port, self.after)

    def inverse(self) -> Change:
        return ValueChanged(self.path, self.port, self.after, self.before)


@dataclass(frozen=True, slots=True)
class FieldChanged:
    """A node's ``title``, ``mode``, ``pin`` or ``lint``; a subgraph's ports or ``exposed``."""

    path: str
    field: str
    before: Any
    after: Any

    def apply(self, document: Document) -> None:
        setattr(document.node(self.path), self.field, self.after)

    def inverse(self) -> Change:
        return FieldChanged(self.path, self.field, self.after, self.before)


@dataclass(frozen=True, slots=True)
class EntryChanged:
    """An entry of one of the document's tables (`Document.table`), as a node's position."""

    table: str
    key: str
    before: Any
    after: Any

    def apply(self, document: Document) -> None:
        _put(document.table(self.table), self.key, self.after)

    def inverse(self) -> Change:
        return EntryChanged(self.table, self.key, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Touched:
    """Something that belongs to the document but is kept elsewhere changed: a canvas."""

    what: str

    def apply(self, document: Document) -> None:
        pass

    def inverse(self) -> Change:
        return self


Change = (
    NodeAdded
    | NodeRemoved
    | LinkAdded
    | LinkRemoved
    | ValueChanged
    | FieldChanged
    | EntryChanged
    | Touched
)


def _put(table: dict[str, Any], key: str, value: Any) -> None:
    if value is ABSENT:
        table.pop(key, None)
    else:
        table[key] = value


def target(change: Change) -> tuple[Any, ...] | None:
    """What a change from one value to another changes; None for nodes and links."""
    match change:
        case ValueChanged():
            return (ValueChanged, change.path, change.port)
        case FieldChanged():
            return (FieldChanged, change.path, change.field)
        case EntryChanged():
            return (EntryChanged, change.table, change.key)
    return None


def weigh(change: Change) -> int:
    """Roughly the memory that `change` holds, in bytes."""
    total, waiting = 0, [getattr(change, name) for name in type(change).__slots__]
    while waiting:
        thing = waiting.pop()
        total += sys.getsizeof(thing)
        if isinstance(thing, dict):
            waiting += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple):
            waiting += thing
        elif isinstance(thing, Node | Graph):
            waiting += vars(thing).values()
    return total
