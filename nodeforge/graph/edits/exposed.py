"""The ports of a subgraph, as what they stand for comes and goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from nodeforge.graph.changes import ABSENT, Change, FieldChanged, LinkRemoved, ValueChanged
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.edits.tables import drop_form
from nodeforge.graph.model import Input, Output, Subgraph
from nodeforge.graph.paths import inside, join, split, within

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
