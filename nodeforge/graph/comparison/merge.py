"""Merges two workflows that come from one: a three-way merge by node and port.

What only one side changed is taken; where both changed the same thing otherwise, ours stays and
the conflict is listed. Where nodes are is no conflict, and new nodes that both gave one id are two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from nodeforge.graph.changes import ABSENT
from nodeforge.graph.document import BY_NODE, VIEW_TABLES, Document, View
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph
from nodeforge.graph.paths import Names, ancestors, join, split

_FIELDS, _TABLES = ("title", "mode", "pin"), ("values", "lint", "extra")
_PORTS = ("inputs", "outputs", "exposed")
"""Tables of a subgraph."""
_OF_DOCUMENT = "@"
"""Begins the path of a conflict that is about no node: ``@assets``."""


class _Sides(NamedTuple):
    """The same thing in all three workflows."""

    base: Any
    ours: Any
    theirs: Any

    def each(self, get: Callable[[Any], Any]) -> _Sides:
        """What `get` finds in each of them."""
        return _Sides(get(self.base), get(self.ours), get(self.theirs))

    def field(self, name: str) -> _Sides:
        return self.each(lambda side: getattr(side, name))

    def entry(self, key: Any) -> _Sides:
        """The entry of a table, or ABSENT."""
        return self.each(lambda side: side.get(key, ABSENT))

    @property
    def keys(self) -> Iterator[Any]:
        """Those of the tables of ours, then what only theirs has."""
        return iter({**self.ours, **self.theirs})


def merge(base: Document, ours: Document, theirs: Document) -> Document:
    """Ours, with what theirs changed since `base`; conflicts are in its `conflicts`.

    Args:
        base: What both come from.
        ours: What stays where both changed the same.
        theirs: The other.
    """
    sides, decided, silent = _Sides(base, ours, theirs), _Merging(), _Merging()
    graph = decided.graph(sides.field("graph"), "")
    tables = {name: decided.moved_keys(theirs.table(name)) for name in BY_NODE}
    form, assets, lint = (
        decided.table(_with(sides.field(name), tables.get(name)), f"{_OF_DOCUMENT}{name}", "")
        for name in ("form", "assets", "lint")
    )
    views = sides.field("view")  # how it looks, and what it was last run with, is no conflict
    looks = {
        name: silent.table(_with(views.field(name), tables[name]), "", "") for name in VIEW_TABLES
    }
    return Document(
        graph,
        form,
        View(**looks, extra=ours.view.extra),
        assets,
        lock=silent.table(sides.field("lock"), "", ""),
        lint=lint,
        conflicts=theirs.conflicts | ours.conflicts | decided.conflicts,
        extra=ours.extra,
        app=ours.app,
    )


class _Merging:
    """Decides for each part, and lists what it cannot decide."""

    def __init__(self) -> None:
        self.conflicts: dict[str, Any] = {}
        self.moved: dict[str, str] = {}
        """New nodes of theirs that have another path now, since ours has a new node there."""

    def graph(self, sides: _Sides, group: str) -> Graph:
        """One level; `group` is the path of the subgraph, empty for the root."""
        sides = sides._replace(theirs=self._beside(sides, group))
        nodes: dict[str, Node] = {}
        only_ours = set[str]()
        """Nodes in conflict as a whole: theirs, and its links, are left out."""
        tables = sides.field("nodes")
        for name in tables.keys:
            found = tables.entry(name)
            kept = self._kept(found, sides, name, join(group, name))
            if kept is not ABSENT:
                nodes[name] = kept
            if join(group, name) in self.conflicts:
                only_ours.add(name)
        gone = {*sides.base.nodes, *tables.keys} - nodes.keys()
        links = self._links(sides.field("links"), group, only_ours)
        return Graph(nodes, {e: s for e, s in links.items() if gone.isdisjoint((e.node, s.node))})

    def _beside(self, graphs: _Sides, group: str) -> Graph:
        """Theirs, with free ids for new nodes whose ids ours gave to other new ones."""
        base, ours, theirs = graphs
        both = [name for name in theirs.nodes if name in ours.nodes and name not in base.nodes]
        others = [
            name
            for name in both
            if ours.nodes[name] != theirs.nodes[name] or _uses(ours, name) != _uses(theirs, name)
        ]
        names = Names({**base.nodes, **ours.nodes, **theirs.nodes})
        self.moved |= {join(group, name): join(group, names(name)) for name in others}
        nodes = {self._moved_id(group, name): node for name, node in theirs.nodes.items()}
        links = theirs.links.items()
        return Graph(
            nodes, {self._moved_end(group, e): self._moved_end(group, s) for e, s in links}
        )

    def _moved_id(self, group: str, name: str) -> str:
        path = join(group, name)
        return split(self.moved.get(path, path))[1]

    def _moved_end(self, group: str, end: Any) -> Any:
        return end._replace(node=self._moved_id(group, end.node))

    def moved_keys(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """A table of theirs by the paths that its nodes have now."""
        made: dict[str, Any] = {}
        for key, value in table.items():
            old = next((p for p in ancestors(key.partition(".")[0]) if p in self.moved), "")
            made[self.moved[old] + key[len(old) :] if old else key] = value
        return made

    def _kept(self, found: _Sides, graphs: _Sides, name: str, path: str) -> Any:
        """A node that at least one side has; ABSENT where the other has removed it."""
        base, ours, theirs = found
        if _is_alike(ours, theirs):
            return self.node(found, path)
        if ABSENT not in (ours, theirs):
            return self.pick(found, path, "", "")
        if base is ABSENT:
            return theirs if ours is ABSENT else ours
        left, side = (theirs, graphs.theirs) if ours is ABSENT else (ours, graphs.ours)
        if left != base or not _uses(side, name) <= _uses(graphs.base, name):
            self._add_conflict(found, path, "", "")
            return ours
        return ABSENT

    def _links(self, tables: _Sides, group: str, only_ours: set[str]) -> dict[Input, Output]:
        links: dict[Input, Output] = {}
        for end in tables.keys:
            starts = tables.entry(end)
            around = {end.node, *(start.node for start in starts if start is not ABSENT)}
            start = starts.ours
            if only_ours.isdisjoint(around):
                port = str(end).partition(".")[2]
                start = self.pick(starts, join(group, end.node), "links", port)
            if start is not ABSENT:
                links[end] = start
        return links

    def node(self, sides: _Sides, path: str) -> Node:
        """A node that both have, of one type."""
        base, ours, theirs = sides
        if not _is_alike(base, ours):
            base = Subgraph() if isinstance(ours, Subgraph) else Node(ours.type)
        sides = _Sides(base, ours, theirs)
        changed: dict[str, Any] = {}
        for name in _FIELDS:
            changed[name] = self.pick(sides.field(name), path, name, "")
        for name in _TABLES:
            changed[name] = self.table(sides.field(name), path, name)
        if isinstance(ours, Subgraph):
            changed["graph"] = self.graph(sides.field("graph"), path)
            for name in _PORTS:
                table = self._moved_ends(getattr(theirs, name), path)
                changed[name] = self.table(_with(sides.field(name), table), path, name)
        return replace(ours, **changed)

    def _moved_ends(self, table: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Ports of a subgraph of theirs by the ids that the nodes inside have now."""
        made = dict(table)
        for port, ends in table.items():
            if isinstance(ends, list):
                made[port] = [self._moved_end(path, end) for end in ends]
            elif isinstance(ends, Output):
                made[port] = self._moved_end(path, ends)
        return made

    def table(self, sides: _Sides, path: str, field: str) -> dict[str, Any]:
        made = {key: self.pick(sides.entry(key), path, field, key) for key in sides.keys}
        return {key: value for key, value in made.items() if value is not ABSENT}

    def pick(self, sides: _Sides, path: str, field: str, port: str) -> Any:
        """What only one side changed, else ours."""
        base, ours, theirs = sides
        if _same(ours, theirs) or _same(base, theirs):
            return ours
        if _same(base, ours):
            return theirs
        self._add_conflict(sides, path, field, port)
        return ours

    def _add_conflict(self, sides: _Sides, path: str, field: str, port: str) -> None:
        told = {name: _plain(side) for name, side in sides._asdict().items()}
        key = ".".join(filter(None, (path, field, port)))
        self.conflicts[key] = {"path": path, "port": port or field, **told}


def _with(sides: _Sides, theirs: Any) -> _Sides:
    """`sides` with another table of theirs, where there is one."""
    return sides if theirs is None else sides._replace(theirs=theirs)


def _is_alike(one: Any, other: Any) -> bool:
    """Whether both are nodes, and of one type."""
    if not isinstance(one, Node) or not isinstance(other, Node):
        return False
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
