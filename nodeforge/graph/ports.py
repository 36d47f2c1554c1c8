"""Port specifications by node.

A subgraph's port has that of the inner port it exposes, with its own name, help and range.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nodeforge.graph.model import Input, Node, Subgraph
from nodeforge.graph.presentation import Presentation, in_order
from nodeforge.spec import Catalogue, PortSpec

PICTURE_TYPES = ("image", "mask", "latent", "video", "audio")
"""Types of values that are shown as pictures: a video by a frame, a sound by its waveform."""


def input_spec(node: Node | None, port: str, catalogue: Catalogue) -> PortSpec | None:
    """The declaration of an input; None where node, type or port is unknown."""
    name = port
    shown: list[Any] = []
    while isinstance(node, Subgraph):
        targets = node.inputs.get(port)
        if not targets:
            return None
        if port in node.exposed:
            shown.append(node.exposed[port])
        node, port = node.graph.nodes.get(targets[0].node), targets[0].port
    spec = catalogue.get(node.type) if node else None
    found = spec.input.get(port) if spec else None
    if found is not None:
        for entry in reversed(shown):
            found = Presentation.from_json(entry).on(found)
    return _named(found, name)


def innermost_input(node: Node, path: str, port: str) -> Input:
    """The first input of a node, no subgraph, that a port of the node at `path` stands for."""
    while isinstance(node, Subgraph) and (targets := node.inputs.get(port)):
        inner = node.graph.nodes.get(targets[0].node)
        if inner is None:
            break
        node, path, port = inner, f"{path}/{targets[0].node}", targets[0].port
    return Input(path, port)


def input_value(node: Node, port: str, catalogue: Catalogue) -> Any:
    """The value that an unlinked input has: its own, that of the inner input, or the default."""
    while port not in node.values and isinstance(node, Subgraph):
        targets = node.inputs.get(port)
        inner = node.graph.nodes.get(targets[0].node) if targets else None
        if not targets or inner is None:
            return None
        node, port = inner, targets[0].port
    spec = input_spec(node, port, catalogue) if port not in node.values else None
    return spec.default if spec else node.values.get(port)


def output_spec(node: Node | None, port: str, catalogue: Catalogue) -> PortSpec | None:
    """The declaration of an output; None where node, type or port is unknown."""
    name = port
    while isinstance(node, Subgraph):
        source = node.outputs.get(port)
        if source is None:
            return None
        node, port = node.graph.nodes.get(source.node), source.port
    spec = catalogue.get(node.type) if node else None
    return _named(spec.output.get(port) if spec else None, name)


def _named(port: PortSpec | None, name: str) -> PortSpec | None:
    return port if port is None or port.name == name else replace(port, name=name)


def title_of(node: Node, name: str, catalogue: Catalogue) -> str:
    """What people call `node`, whose id is `name`."""
    if node.title:
        return node.title
    if isinstance(node, Subgraph):
        return name.replace("_", " ").capitalize()
    spec = catalogue.get(node.type)
    return spec.title if spec else node.type


def port_label(node: Node, port: str) -> str:
    """What people call a port of `node`, alone."""
    shown = node.exposed.get(port) if isinstance(node, Subgraph) else None
    return (Presentation.from_json(shown).label if shown else "") or port.replace("_", " ")


def port_title(node: Node, name: str, port: str, catalogue: Catalogue) -> str:
    """What people call a port of `node`: ``Load model · text encoder``."""
    return f"{title_of(node, name, catalogue)} · {port_label(node, port)}"


def input_names(node: Node, catalogue: Catalogue) -> list[str]:
    """A node's inputs in the order the window shows them; none for an unknown type."""
    if isinstance(node, Subgraph):
        return in_order(node.inputs, node.exposed)
    spec = catalogue.get(node.type)
    return list(spec.input) if spec else []


def output_names(node: Node, catalogue: Catalogue) -> list[str]:
    """A node's outputs in the order the window shows them; none for an unknown type."""
    if isinstance(node, Subgraph):
        return sorted(node.outputs)
    spec = catalogue.get(node.type)
    return list(spec.output) if spec else []


COMPARE = "image.compare"
"""The node type that shows two pictures."""


def beside_port(node: Node) -> str:
    """The output of a node that is shown left of its picture; empty for none."""
    return "before" if node.type == COMPARE else ""


def picture_port(node: Node, catalogue: Catalogue) -> str:
    """The first output of a node that is shown as a picture; empty for none."""
    for name in output_names(node, catalogue):
        spec = output_spec(node, name, catalogue)
        if spec is not None and spec.type in PICTURE_TYPES:
            return name
    return ""
