"""Edits of subgraph ports: exposing an inner input, and linking across subgraphs."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Link, SetPorts
from nodeforge.graph.edits.exposed import subgraph
from nodeforge.graph.edits.links import source_of
from nodeforge.graph.inline import Inlined, inline
from nodeforge.graph.model import Input, Output
from nodeforge.graph.paths import Names, split


def outermost_input(document: Document, end: Input) -> Generator[Change, None, Input | None]:
    """The outermost input (of a subgraph, or `end` itself) that holds the link into `end`.

    If a subgraph's port is shared with other inputs, a separate port is added. None if there is
    no link.
    """
    path_to_link = _path_to_link(inline(document.graph), end)
    if path_to_link is None:
        return None
    own = end
    for port in path_to_link[1:]:
        group = subgraph(document, port.node)
        target = Input(split(own.node)[1], own.port, own.item)
        others = [each for each in group.inputs[port.port] if each != target]
        if not others:
            own = port
            continue
        new = _free(port.port, group.inputs)
        inputs = {**group.inputs, port.port: others, new: [target]}
        yield from SetPorts(port.node, inputs, group.outputs).changes(document)
        own = Input(port.node, new)
    start = source_of(document, path_to_link[-1])
    if start is not None and own != path_to_link[-1]:
        yield from Link(start, own).changes(document)
    return own


def link_alike(document: Document, like: Input, end: Input) -> Iterator[Change]:
    """Feed `end` from what feeds `like`, which may lie in another subgraph.

    Ports of subgraphs are used and added as needed. Where nothing feeds `like`, or it lies in a
    subgraph beside that of `end` with its source, `end` stays unlinked.
    """
    whole = inline(document.graph)
    group, name = split(end.node)
    path_to_link = _path_to_link(whole, like) or []
    for port in path_to_link:
        if group and port.node == group:
            node = subgraph(document, group)
            target = Input(name, end.port, end.item)
            inputs = {**node.inputs, port.port: [*node.inputs[port.port], target]}
            yield from SetPorts(group, inputs, node.outputs).changes(document)
            return
        start = source_of(document, port)
        if split(port.node)[0] == group and start is not None:
            yield from Link(start, end).changes(document)
            return
    start = source_of(document, path_to_link[-1]) if path_to_link else None
    shown = start and (yield from _shown_in(document, start, group))
    if shown is not None:
        yield from Link(shown, end).changes(document)


def _shown_in(
    document: Document, output: Output, group: str
) -> Generator[Change, None, Output | None]:
    """`output` as a port of the subgraphs between it and `group`, which are added as needed."""
    while (around := split(output.node)[0]) != group:
        if not around:
            return None
        node = subgraph(document, around)
        inner = Output(split(output.node)[1], output.port)
        port = next((name for name, shown in node.outputs.items() if shown == inner), "")
        if not port:
            port = Names(node.outputs)(inner.port)
            outputs = {**node.outputs, port: inner}
            yield from SetPorts(around, node.inputs, outputs).changes(document)
        output = Output(around, port)
    return output


def _path_to_link(whole: Inlined, end: Input) -> list[Input] | None:
    """The inputs from `end` outwards to the one with the link; None if there is no link."""
    path_to_link = [end]
    while path_to_link[-1] not in whole.links:
        port = whole.ports.get(path_to_link[-1])
        if port is None:
            return None
        path_to_link.append(port)
    return path_to_link


def _free(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
