"""The ports of a subgraph, as what they stand for comes and goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.graph.changes import ABSENT, Change, FieldChanged, LinkRemoved, ValueChanged
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.edits.tables import drop_form
from nodeforge.graph.model import Input, Output, Subgraph
from nodeforge.graph.paths import Names, inside, join, split, within
from nodeforge.graph.presentation import in_order

Inputs = Mapping[str, list[Input]]
Outputs = Mapping[str, Output]


@dataclass(eq=False)
class SetPorts(GraphEdit):
    """Give a subgraph these ports; links and values of ports that go, go with them."""

    path: str
    inputs: Inputs
    outputs: Outputs

    @property
    def name(self) -> str:
        return f"change the ports of {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        yield from set_ports(document, self.path, self.inputs, self.outputs)


@dataclass(eq=False)
class Expose(GraphEdit):
    """Show an input of a node inside a subgraph as a port of the subgraph, after the others.

    Raises:
        RequestError: the node is in no subgraph, or the input is linked or exposed already.
    """

    path: str
    port: str
    exposed_as: str = field(default="", init=False)
    """The subgraph's port, once made."""

    @property
    def name(self) -> str:
        return f"expose {self.port} of {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        around, name = split(self.path)
        if not around:
            raise RequestError(
                f"'{self.path}' is in no subgraph.",
                way_out="Convert the nodes to a subgraph first.",
            )
        group = subgraph(document, around)
        target = Input(name, self.port)
        if target in group.graph.links:
            raise RequestError(
                f"'{target}' is linked inside the subgraph.", way_out="Remove the link first."
            )
        if port := exposing_port(document, self.path, self.port):
            raise RequestError(f"'{target}' is exposed already, as '{port}'.")
        self.exposed_as = Names(group.inputs)(self.port)
        ports = [*in_order(group.inputs, group.exposed), self.exposed_as]
        inputs = {**group.inputs, self.exposed_as: [target]}
        yield FieldChanged(around, "inputs", group.inputs, inputs)
        yield FieldChanged(around, "exposed", group.exposed, ordered(ports, group.exposed))


@dataclass(eq=False)
class Unexpose(GraphEdit):
    """Take a port of a subgraph away; the inputs inside get the value that it had."""

    path: str
    port: str

    @property
    def name(self) -> str:
        return f"stop exposing {self.port} of {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        group = subgraph(document, self.path)
        if self.port in group.values:
            value = group.values[self.port]
            for end in group.inputs.get(self.port, ()):
                node = group.graph.nodes.get(end.node)
                if node is not None and end not in group.graph.links:
                    before = node.values.get(end.port, ABSENT)
                    yield ValueChanged(join(self.path, end.node), end.port, before, value)
        inputs = {port: ends for port, ends in group.inputs.items() if port != self.port}
        yield from set_ports(document, self.path, inputs, group.outputs)


@dataclass(eq=False)
class SetExposed(GraphEdit):
    """Set how the ports of a subgraph are shown: order, labels, helps and ranges.

    Args:
        exposed: Port to its record (`nodeforge.graph.presentation`).
    """

    path: str
    exposed: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"change the exposed parameters of {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        group = subgraph(document, self.path)
        exposed = {port: how for port, how in self.exposed.items() if port in group.inputs and how}
        if exposed != group.exposed:
            yield FieldChanged(self.path, "exposed", group.exposed, exposed)


def ordered(ports: Sequence[str], exposed: Mapping[str, Any]) -> dict[str, Any]:
    """The records in `exposed` with the order of `ports`."""
    return {port: {**exposed.get(port, {}), "order": place} for place, port in enumerate(ports)}


def exposing_port(document: Document, path: str, port: str) -> str:
    """The port of the subgraph around the node at `path` that stands for its input `port`; empty
    if there is none."""
    around, name = split(path)
    if not around:
        return ""
    inputs = subgraph(document, around).inputs
    return next((p for p, ends in inputs.items() if Input(name, port) in ends), "")


def set_ports(document: Document, path: str, inputs: Inputs, outputs: Outputs) -> Iterator[Change]:
    """Give the subgraph at `path` these ports, and close what stood for those that go."""
    group = subgraph(document, path)
    lost_in = group.inputs.keys() - inputs.keys()
    lost_out = group.outputs.keys() - outputs.keys()
    around, name = split(path)
    for end, start in list(document.group(around).links.items()):
        if (end.node == name and end.port in lost_in) or (
            start.node == name and start.port in lost_out
        ):
            yield LinkRemoved(inside(around, end), within(around, start))
    for port in sorted(lost_in & group.values.keys()):
        yield ValueChanged(path, port, group.values[port], ABSENT)
    yield from drop_form(document, path, lost_in)
    if lost_in & group.exposed.keys():
        kept = {port: how for port, how in group.exposed.items() if port not in lost_in}
        yield FieldChanged(path, "exposed", group.exposed, kept)
    if group.inputs != inputs:
        yield FieldChanged(path, "inputs", group.inputs, dict(inputs))
    if group.outputs != outputs:
        yield FieldChanged(path, "outputs", group.outputs, dict(outputs))
    if around and (lost_in or lost_out):
        yield from _close(
            document, around, {(name, port) for port in lost_in}, {(name, p) for p in lost_out}
        )


def close_ports(document: Document, group: str, names: Set[str]) -> Iterator[Change]:
    """Take away the ports of `group` that stand for ports of the nodes `names` inside it."""
    if not group:
        return
    node = subgraph(document, group)
    ends = {(t.node, t.port) for targets in node.inputs.values() for t in targets}
    starts = {(source.node, source.port) for source in node.outputs.values()}
    yield from _close(
        document,
        group,
        {end for end in ends if end[0] in names},
        {start for start in starts if start[0] in names},
    )


def _close(
    document: Document, group: str, ends: Set[tuple[str, str]], starts: Set[tuple[str, str]]
) -> Iterator[Change]:
    node = subgraph(document, group)
    inputs = {
        port: kept
        for port, targets in node.inputs.items()
        if (kept := [t for t in targets if (t.node, t.port) not in ends])
    }
    outputs = {p: s for p, s in node.outputs.items() if (s.node, s.port) not in starts}
    yield from set_ports(document, group, inputs, outputs)


def subgraph(document: Document, path: str) -> Subgraph:
    """The subgraph at `path`."""
    node = document.node(path)
    if not isinstance(node, Subgraph):
        raise NoSuchNodeError(join(path, "..."))
    return node
