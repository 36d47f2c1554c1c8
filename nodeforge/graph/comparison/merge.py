"""Merges two workflows that come from one: a three-way merge by node and port.

What only one side changed is taken; where both changed the same thing otherwise, ours stays and
the conflict is listed. Where nodes are is no conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nodeforge.graph.changes import ABSENT
from nodeforge.graph.document import VIEW_TABLES, Document, View
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph
from nodeforge.graph.paths import join

_FIELDS = ("title", "mode", "pin")
_OF_DOCUMENT = "@"
"""Begins the path of a conflict that is about no node: ``@assets``."""


def merge(base: Document, ours: Document, theirs: Document) -> Document:
    """Ours, with what theirs changed since `base`; conflicts are in its `conflicts`.

    Args:
        base: What both come from.
        ours: What stays where both changed the same.
        theirs: The other.
    """
    return _Merging().document(base, ours, theirs)


class _Merging:
    def __init__(self) -> None:
        self.conflicts: dict[str, Any] = {}

    def document(self, base: Document, ours: Document, theirs: Document) -> Document:
        sides = (base, ours, theirs)
        graph = self.graph(base.graph, ours.graph, theirs.graph, "")
        tables = {
            name: self.table(*(side.table(name) for side in sides), f"{_OF_DOCUMENT}{name}", "")
            for name in ("form", "assets", "lint")
        }
        conflicts = self.conflicts  # of how it looks, and of the last run, there are none
        self.conflicts = {}
        view = View(
            **{
                name: self.table(*(side.table(name) for side in sides), "", "")
                for name in VIEW_TABLES
            },
            extra=ours.view.extra,
        )
        lock = self.table(base.lock, ours.lock, theirs.lock, "", "")
        return Document(
            graph,
            view=view,
            lock=lock,
            conflicts=theirs.conflicts | ours.conflicts | conflicts,
            extra=ours.extra,
            app=ours.app,
            **tables,
        )

    def graph(self, base: Graph, ours: Graph, theirs: Graph, group: str) -> Graph:
        """One level; `group` is the path of the subgraph, empty for the root."""
        nodes: dict[str, Node] = {}
        only_ours = set[str]()
        """Nodes in conflict as a whole: theirs and its links are left out."""
        for name in {**ours.nodes, **theirs.nodes}:
            before, our, their = (side.nodes.get(name) for side in (base, ours, theirs))
            path = join(group, name)
            if our is not None and their is not None:
                if _is_alike(our, their):
                    nodes[name] = self.node(before, our, their, path)
                    continue
                nodes[name] = self.pick(before, our, their, path, "", "")
                if nodes[name] is our:
                    only_ours.add(name)
            elif before is None:
                nodes[name] = our or their  # pyright: ignore[reportArgumentType]  one is there
            else:
                side = ours if our is not None else theirs
                if (our or their) == before and _uses(side, name) <= _uses(base, name):
                    continue  # the other side has removed it
                self._add_conflict(before, our, their, path, "", "")
                if our is not None:
                    nodes[name] = our
                    only_ours.add(name)
        known = {*base.nodes, *ours.nodes, *theirs.nodes}
        gone = known - nodes.keys()
        links = self._links(base.links, ours.links, theirs.links, group, only_ours)
        kept = {e: s for e, s in links.items() if gone.isdisjoint((e.node, s.node))}
        return Graph(nodes, kept)

    def _links(
        self,
        base: Mapping[Input, Output],
        ours: Mapping[Input, Output],
        theirs: Mapping[Input, Output],
        group: str,
        only_ours: set[str],
    ) -> dict[Input, Output]:
        links: dict[Input, Output] = {}
        for end in {**ours, **theirs}:
            starts = [side.get(end, ABSENT) for side in (base, ours, theirs)]
            around = {end.node, *(start.node for start in starts if start is not ABSENT)}
            if only_ours.isdisjoint(around):
                port = str(end).partition(".")[2]
                start = self.pick(*starts, join(group, end.node), "links", port)
            else:
                start = starts[1]
            if start is not ABSENT:
                links[end] = start
        return links

    def node(self, base: Node | None, ours: Node, theirs: Node, path: str) -> Node:
        """A node that both have, of one type."""
        if base is None or not _is_alike(base, ours):
            base = Subgraph() if isinstance(ours, Subgraph) else Node(ours.type)
        sides = (base, ours, theirs)
        changed: dict[str, Any] = {
            name: self.pick(*(getattr(side, name) for side in sides), path, name, "")
            for name in _FIELDS
        }
        for name in ("values", "lint", "extra"):
            changed[name] = self.table(*(getattr(side, name) for side in sides), path, name)
        if isinstance(base, Subgraph) and isinstance(ours, Subgraph):
            assert isinstance(theirs, Subgraph)
            changed["graph"] = self.graph(base.graph, ours.graph, theirs.graph, path)
            groups = (base, ours, theirs)
            for name in ("inputs", "outputs", "exposed"):
                changed[name] = self.table(*(getattr(side, name) for side in groups), path, name)
        return replace(ours, **changed)

    def table(
        self,
        base: Mapping[str, Any],
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        path: str,
        field: str,
    ) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key in {**ours, **theirs}:
            values = (side.get(key, ABSENT) for side in (base, ours, theirs))
            value = self.pick(*values, path, field, key)
            if value is not ABSENT:
                made[key] = value
        return made

    def pick(self, base: Any, ours: Any, theirs: Any, path: str, field: str, port: str) -> Any:
        """What only one side changed, else ours."""
        if _same(ours, theirs) or _same(base, theirs):
            return ours
        if _same(base, ours):
            return theirs
        self._add_conflict(base, ours, theirs, path, field, port)
        return ours

    def _add_conflict(
        self, base: Any, ours: Any, theirs: Any, path: str, field: str, port: str
    ) -> None:
        self.conflicts[".".join(filter(None, (path, field, port)))] = {
            "path": path,
            "port": port or field,
            "base": _plain(base),
            "ours": _plain(ours),
            "theirs": _plain(theirs),
        }


def _is_alike(one: Node, other: Node) -> bool:
    return one.type == other.type and isinstance(one, Subgraph) == isinstance(other, Subgraph)


def _uses(graph: Graph, name: str) -> set[tuple[Input, Output]]:
    """The links of a node."""
    return {link for link in graph.links.items() if name in (link[0].node, link[1].node)}


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1, 1.0 and true are three values."""
    return type(one) is type(other) and one == other and repr(one) == repr(other)


def _plain(value: Any) -> Any:
    """As a file says it: a node by its type, a link by where it starts; null is nothing."""
    if value is ABSENT or value is None:
        return None
    if isinstance(value, Node):
        return value.type
    if isinstance(value, Input | Output):
        return str(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
