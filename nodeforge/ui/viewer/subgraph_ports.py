"""Edits of subgraph ports: exposing an inner input, and linking copied nodes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Link, SetPorts, SetValue
from nodeforge.graph.edits.exposed import subgraph
from nodeforge.graph.edits.links import source_of
from nodeforge.graph.inline import Inlined, inline
from nodeforge.graph.model import Input
from nodeforge.graph.paths import join, split


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


def expose_copies(document: Document, group: str, copies: Mapping[str, str]) -> Iterator[Change]:
    """Link the ports of `group` to copies inside it as to the originals; values of ports are
    copied to the copies.

    Args:
        copies: Names of originals to names of their copies.
    """
    if not group:
        return
    whole, node = inline(document.graph), subgraph(document, group)
    inputs = {port: list(targets) for port, targets in node.inputs.items()}
    for port, targets in node.inputs.items():
        for target in (each for each in targets if each.node in copies):
            copy = copies[target.node]
            if _path_to_link(whole, Input(join(group, target.node), target.port, target.item)):
                inputs[port].append(Input(copy, target.port, target.item))
            elif port in (given := _outer_values(whole, Input(group, port))):
                yield from SetValue(join(group, copy), target.port, given[port]).changes(document)
    yield from SetPorts(group, inputs, node.outputs).changes(document)


def _path_to_link(whole: Inlined, end: Input) -> list[Input] | None:
    """The inputs from `end` outwards to the one with the link; None if there is no link."""
    path_to_link = [end]
    while path_to_link[-1] not in whole.links:
        port = whole.ports.get(path_to_link[-1])
        if port is None:
            return None
        path_to_link.append(port)
    return path_to_link


def _outer_values(whole: Inlined, port: Input) -> dict[str, object]:
    """The effective value of a subgraph's port: the outermost one, by port name."""
    found, end = dict[str, object](), port
    while end is not None:
        values = whole.groups[end.node].values
        if end.port in values:
            found[port.port] = values[end.port]
        end = whole.ports.get(end)
    return found


def _free(name: str, taken: Mapping[str, object]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
