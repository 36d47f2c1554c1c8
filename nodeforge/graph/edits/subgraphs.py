"""Edits that put a selection into a subgraph and take a subgraph apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from nodeforge.graph.changes import (
    ABSENT,
    Change,
    EntryChanged,
    FieldChanged,
    LinkAdded,
    LinkRemoved,
    NodeAdded,
    NodeRemoved,
    ValueChanged,
)
from nodeforge.graph.document import Document
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.edits.exposed import subgraph
from nodeforge.graph.edits.paste import common_group
from nodeforge.graph.edits.tables import drop_entries, move_entries
from nodeforge.graph.model import Graph, Input, Mode, Output, Subgraph
from nodeforge.graph.paths import Names, inside, join, split, within


@dataclass(eq=False)
class Collapse(GraphEdit):
    """Put nodes, all in one graph, into a new subgraph.

    What links cross its border become its ports, named after the ports inside.

    Args:
        paths: Which nodes.
        title: What the subgraph is called; its id is made from it.
        inputs: Ports to have besides, as parameters: name to inputs inside, by the nodes' ids.
        outputs: Outputs to show besides, by the nodes' ids.
    """

    paths: Collection[str]
    title: str = ""
    inputs: Mapping[str, list[Input]] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    path: str = field(default="", init=False)
    """Where the subgraph is, once made."""

    @property
    def name(self) -> str:
        return f"make a subgraph of {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        group = common_group(self.paths)
        graph = document.group(group)
        names = [split(path)[1] for path in dict.fromkeys(self.paths)]
        nodes = {name: document.node(join(group, name)) for name in names}
        box = Names(document.ids(group))(self.title or "subgraph")
        self.path = join(group, box)
        border = _Border(graph, set(names), self.inputs, self.outputs)
        made = Subgraph(
            title=self.title,
            graph=Graph(nodes, border.inner),
            inputs=border.inputs,
            outputs=border.outputs,
        )
        around = _ports_around(document, group, border, set(names), box)
        for end, start in border.touched:
            yield LinkRemoved(inside(group, end), within(group, start))
        for name in names:
            yield NodeRemoved(join(group, name), nodes[name])
        yield NodeAdded(self.path, made)
        for end, start in border.outer(box).items():
            yield LinkAdded(inside(group, end), within(group, start))
        yield from around
        yield from self._place(document, group, names)

    def _place(self, document: Document, group: str, names: list[str]) -> Iterator[Change]:
        old = [join(group, name) for name in names]
        places = [p for path in old if (p := document.view.positions.get(path))]
        yield from move_entries(document, {path: f"{self.path}/{split(path)[1]}" for path in old})
        if places:
            centre = [round(sum(axis) / len(places)) for axis in zip(*places, strict=True)]
            before = document.view.positions.get(self.path, ABSENT)
            yield EntryChanged("positions", self.path, before, centre)


class _Border:
    """The links around a selection, and the ports that a subgraph of it has."""

    def __init__(
        self,
        graph: Graph,
        names: set[str],
        inputs: Mapping[str, list[Input]],
        outputs: Mapping[str, Output],
    ) -> None:
        self.inputs = {port: list(ends) for port, ends in inputs.items()}
        self.outputs = dict(outputs)
        self.touched: list[tuple[Input, Output]] = []
        self.inner: dict[Input, Output] = {}
        self.feeds: dict[str, Output] = {}
        self.readers: list[tuple[Input, str]] = []
        self._free_input = Names(self.inputs)
        self._free_output = Names(self.outputs)
        self._named = {end: port for port, ends in inputs.items() for end in ends}
        self._shown = {start: port for port, start in outputs.items()}
        self._fed: dict[Output, str] = {}
        for end, start in graph.links.items():
            if end.node in names or start.node in names:
                self.touched.append((end, start))
            if end.node in names and start.node in names:
                self.inner[end] = start
            elif end.node in names:
                self.feeds[self._enter(end, start)] = start
            elif start.node in names:
                self.readers.append((end, self.show(start)))

    def _enter(self, end: Input, start: Output) -> str:
        """The port for a link that comes in; links from one output share one."""
        port = self._named.get(end) or self._fed.get(start) or self.stand_for(end)
        self._fed.setdefault(start, port)
        self._named.setdefault(end, port)
        if end not in self.inputs[port]:
            self.inputs[port].append(end)
        return port

    def stand_for(self, end: Input) -> str:
        """A port for one input inside."""
        if end not in self._named:
            port = self._free_input(end.port)
            self.inputs[port] = [end]
            self._named[end] = port
        return self._named[end]

    def show(self, start: Output) -> str:
        """A port for one output inside."""
        if start not in self._shown:
            port = self._free_output(start.port)
            self.outputs[port] = start
            self._shown[start] = port
        return self._shown[start]

    def outer(self, box: str) -> dict[Input, Output]:
        """The links to and from the subgraph `box`."""
        incoming = {Input(box, port): start for port, start in self.feeds.items()}
        return incoming | {end: Output(box, port) for end, port in self.readers}


def _ports_around(
    document: Document, group: str, border: _Border, names: set[str], box: str
) -> list[Change]:
    """How the ports of the subgraph around change: they now stand for ports of `box`."""
    if not group:
        return []
    around = subgraph(document, group)
    inputs = {
        port: [Input(box, border.stand_for(end)) if end.node in names else end for end in ends]
        for port, ends in around.inputs.items()
    }
    outputs = {
        port: Output(box, border.show(start)) if start.node in names else start
        for port, start in around.outputs.items()
    }
    return _fields(group, around, inputs, outputs)


def _fields(
    path: str, node: Subgraph, inputs: dict[str, list[Input]], outputs: dict[str, Output]
) -> list[Change]:
    changes: list[Change] = []
    if inputs != node.inputs:
        changes.append(FieldChanged(path, "inputs", node.inputs, inputs))
    if outputs != node.outputs:
        changes.append(FieldChanged(path, "outputs", node.outputs, outputs))
    return changes


@dataclass(eq=False)
class Unpack(GraphEdit):
    """Put the nodes of a subgraph where it was; what it computes stays the same.

    Values of its ports become values inside; a muted or bypassed subgraph leaves muted or
    bypassed nodes.
    """

    path: str
    paths: list[str] = field(default_factory=list, init=False)
    """Where the nodes are, once unpacked."""

    @property
    def name(self) -> str:
        return f"unpack {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        group, box = split(self.path)
        node = subgraph(document, self.path)
        graph = document.group(group)
        free = Names(document.ids(group))
        names = {name: free(name) for name in node.graph.nodes}
        self.paths = [join(group, name) for name in names.values()]
        opened = _Opened(box, node, names)
        links = opened.links(graph.links)
        around = opened.ports_around(document, group)
        for end, start in list(graph.links.items()):
            if box in (end.node, start.node):
                yield LinkRemoved(inside(group, end), within(group, start))
        yield NodeRemoved(self.path, node)
        for name, inner in node.graph.nodes.items():
            yield NodeAdded(join(group, names[name]), inner)
        for end, start in links.items():
            yield LinkAdded(inside(group, end), within(group, start))
        yield from around
        yield from self._settle(document, node, opened)
        yield from self._place(
            document, {f"{self.path}/{n}": join(group, m) for n, m in names.items()}
        )

    def _settle(self, document: Document, box: Subgraph, opened: _Opened) -> Iterator[Change]:
        """Bring the subgraph's values, mode and pin to the nodes that were inside."""
        group = split(self.path)[0]
        for port, value in box.values.items():
            for end in opened.ends(port):
                # A link goes before the value, as it did; where it comes from nothing, such as an
                # empty reroute, the value counts.
                path = join(group, end.node)
                before = document.node(path).values.get(end.port, ABSENT)
                yield ValueChanged(path, end.port, before, value)
        for path in self.paths:
            node = document.node(path)
            if box.mode is not Mode.ACTIVE and node.mode is not Mode.MUTE:
                yield FieldChanged(path, "mode", node.mode, box.mode)
            if box.pin and not node.pin:
                yield FieldChanged(path, "pin", False, True)

    def _place(self, document: Document, paths: dict[str, str]) -> Iterator[Change]:
        positions = document.view.positions
        place = positions.get(self.path)
        yield from move_entries(document, paths)
        yield from drop_entries(document, [self.path])
        placed = {path: p for path in paths.values() if (p := positions.get(path))}
        if not place or not placed:
            return
        shift = [place[axis] - min(p[axis] for p in placed.values()) for axis in (0, 1)]
        for path, (x, y) in placed.items():
            yield EntryChanged("positions", path, [x, y], [x + shift[0], y + shift[1]])


class _Opened:
    """The ports of a subgraph as ports of the nodes that were inside, under their new names."""

    def __init__(self, box: str, node: Subgraph, names: Mapping[str, str]) -> None:
        self.box = box
        self.node = node
        self.names = names

    def ends(self, port: str, item: int | None = None) -> list[Input]:
        """The inputs that an input port stood for, but those linked inside."""
        found = [
            Input(end.node, end.port, item if end.item is None else end.item)
            for end in self.node.inputs.get(port, ())
        ]
        return [
            Input(self.names[end.node], end.port, end.item)
            for end in found
            if end.node in self.names and end not in self.node.graph.links
        ]

    def start(self, port: str) -> Output | None:
        """The output that an output port showed."""
        source = self.node.outputs.get(port)
        if source is None or source.node not in self.names:
            return None
        return Output(self.names[source.node], source.port)

    def links(self, around: Mapping[Input, Output]) -> dict[Input, Output]:
        """The links to make: those inside, and those that crossed the border."""
        made = {
            Input(self.names[end.node], end.port, end.item): Output(
                self.names[start.node], start.port
            )
            for end, start in self.node.graph.links.items()
            if end.node in self.names and start.node in self.names
        }
        for end, start in around.items():
            if self.box not in (end.node, start.node):
                continue
            source = self.start(start.port) if start.node == self.box else start
            if source is not None:
                ends = self.ends(end.port, end.item) if end.node == self.box else [end]
                made |= dict.fromkeys(ends, source)
        return made

    def ports_around(self, document: Document, group: str) -> list[Change]:
        """How the ports of the subgraph around change."""
        if not group:
            return []
        around = subgraph(document, group)
        inputs = {
            port: [
                inner
                for end in ends
                for inner in (self.ends(end.port, end.item) if end.node == self.box else [end])
            ]
            for port, ends in around.inputs.items()
        }
        outputs = {
            port: inner
            for port, start in around.outputs.items()
            if (inner := self.start(start.port) if start.node == self.box else start)
        }
        return _fields(group, around, inputs, outputs)
