"""Compares two workflows by meaning: nodes, values, links, titles.

Where nodes are, and what looks otherwise but does the same, is no change: a value that is the
default, one under a link, an asset of another name with the same content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nodeforge.graph.assets import ASSET
from nodeforge.graph.comparison.matching import match, nodes_of
from nodeforge.graph.document import Document
from nodeforge.graph.inline import Inlined, inline
from nodeforge.graph.model import Input, Node, Output, Subgraph
from nodeforge.graph.ports import input_spec
from nodeforge.spec import Catalogue


class Kind(StrEnum):
    """In what two workflows differ."""

    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"
    VALUE = "value"
    LINK = "link"
    TITLE = "title"
    MODE = "mode"
    PIN = "pin"
    PORT = "port"  # what a subgraph's port stands for


@dataclass(frozen=True)
class Difference:
    """One thing that changed.

    Args:
        kind: What.
        node: The node's path: afterwards, and before for one that was removed.
        was: Its path before, where that is another.
        port: Of which input, or which port of a subgraph.
        before: Its type, value, source (``load.model``), title or mode; None where there was none.
        after: The same, afterwards.
    """

    kind: Kind
    node: str
    was: str = ""
    port: str = ""
    before: Any = None
    after: Any = None

    def to_json(self) -> dict[str, Any]:
        made = {"change": self.kind.value, "node": self.node}
        parts = {"was": self.was, "port": self.port}
        made |= {name: part for name, part in parts.items() if part}
        return {**made, "before": self.before, "after": self.after}


def compare(before: Document, after: Document, catalogue: Catalogue) -> list[Difference]:
    """All that changed from `before` to `after`: what is gone, what is new, what is other.

    Args:
        catalogue: Tells defaults; of a type that is not in it, a missing value is a missing one.
    """
    return list(_Comparing(before, after, catalogue).all())


@dataclass
class _Side:
    document: Document
    whole: Inlined
    nodes: dict[str, Node]


class _Comparing:
    def __init__(self, before: Document, after: Document, catalogue: Catalogue) -> None:
        self.before, self.after = _side(before), _side(after)
        self.catalogue = catalogue
        self.pairs = match(self.before.whole, self.after.whole)

    def all(self) -> Iterator[Difference]:
        came_from = {new: old for old, new in self.pairs.items()}
        for path, node in _sorted(self.before.nodes):
            if path not in self.pairs:
                yield Difference(Kind.REMOVED, path, before=node.type)
        for path, node in _sorted(self.after.nodes):
            if path not in came_from:
                yield Difference(Kind.ADDED, path, after=node.type)
        ends = (_by_node(self.before.whole.links), _by_node(self.after.whole.links))
        for path in sorted(self.after.nodes):
            if path in came_from:
                yield from self._node(came_from[path], path, ends)

    def _node(
        self, old: str, new: str, ends: tuple[dict[str, dict[Input, Output]], ...]
    ) -> Iterator[Difference]:
        first, second = self.before.nodes[old], self.after.nodes[new]
        was = old if old != new else ""
        if first.type != second.type:
            yield Difference(Kind.REPLACED, new, was, before=first.type, after=second.type)
        for kind in (Kind.TITLE, Kind.MODE, Kind.PIN):
            held, holds = getattr(first, kind.value), getattr(second, kind.value)
            if held != holds:
                yield Difference(kind, new, was, before=_plain(held), after=_plain(holds))
        links = ends[0].get(old, {}), ends[1].get(new, {})
        yield from self._values(old, new, was, links)
        yield from self._links(old, new, was, links)
        if isinstance(first, Subgraph) and isinstance(second, Subgraph):
            yield from self._ports(first, second, old, new, was)

    def _values(
        self, old: str, new: str, was: str, links: tuple[dict[Input, Output], ...]
    ) -> Iterator[Difference]:
        first, second = self.before.nodes[old], self.after.nodes[new]
        linked = [{end.port for end in side} for side in links]
        for port in sorted({*first.values, *second.values}):
            held = None if port in linked[0] else self._value(self.before, first, port)
            holds = None if port in linked[1] else self._value(self.after, second, port)
            if port in linked[0] | linked[1] and port not in linked[0] & linked[1]:
                continue  # the link tells it
            if not _same(held, holds):
                shown = (self._shown(first, port), self._shown(second, port))
                yield Difference(Kind.VALUE, new, was, port, *shown)

    def _value(self, side: _Side, node: Node, port: str) -> Any:
        """What an input holds, an asset by its content."""
        value = self._shown(node, port)
        if isinstance(value, str) and value.startswith(ASSET):
            entry = side.document.assets.get(value.removeprefix(ASSET))
            return (entry or {}).get("sha256", value) if isinstance(entry, dict | None) else value
        return value

    def _shown(self, node: Node, port: str) -> Any:
        if port in node.values:
            return node.values[port]
        spec = input_spec(node, port, self.catalogue)
        return spec.default if spec else None

    def _links(
        self, old: str, new: str, was: str, links: tuple[dict[Input, Output], ...]
    ) -> Iterator[Difference]:
        held = {Input(new, end.port, end.item): start for end, start in links[0].items()}
        for end in sorted({*held, *links[1]}, key=lambda end: (end.port, end.item or 0)):
            first, second = held.get(end), links[1].get(end)
            if first is not None and second is not None and self._moved(first) == second:
                continue
            port = str(end).partition(".")[2]
            shown = (first and str(first), second and str(second))
            yield Difference(Kind.LINK, new, was, port, *shown)

    def _ports(
        self, first: Subgraph, second: Subgraph, old: str, new: str, was: str
    ) -> Iterator[Difference]:
        for held, holds in (
            (_inside(old, first), _inside(new, second)),
            (_shows(old, first), _shows(new, second)),
        ):
            for port in sorted({*held, *holds}):
                there = [self._moved(end) for end in held.get(port, [])]
                if sorted(map(str, there)) != sorted(map(str, holds.get(port, []))):
                    sides = (" ".join(map(str, side.get(port, []))) for side in (held, holds))
                    yield Difference(Kind.PORT, new, was, port, *(side or None for side in sides))

    def _moved(self, end: Any) -> Any:
        """An address of before as it is afterwards; itself where its node is gone."""
        return end._replace(node=self.pairs.get(end.node, f"-{end.node}"))


def _side(document: Document) -> _Side:
    whole = inline(document.graph)
    return _Side(document, whole, nodes_of(whole))


def _sorted(nodes: Mapping[str, Node]) -> list[tuple[str, Node]]:
    return sorted(nodes.items(), key=lambda item: item[0])


def _by_node(links: Mapping[Input, Output]) -> dict[str, dict[Input, Output]]:
    found: dict[str, dict[Input, Output]] = {}
    for end, start in links.items():
        found.setdefault(end.node, {})[end] = start
    return found


def _inside(path: str, group: Subgraph) -> dict[str, list[Input]]:
    return {
        port: [end._replace(node=f"{path}/{end.node}") for end in ends]
        for port, ends in group.inputs.items()
    }


def _shows(path: str, group: Subgraph) -> dict[str, list[Output]]:
    return {
        port: [start._replace(node=f"{path}/{start.node}")] for port, start in group.outputs.items()
    }


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


def _same(first: Any, second: Any) -> bool:
    return first == second and (type(first) is bool) == (type(second) is bool)
