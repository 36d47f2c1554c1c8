"""Port specifications by node; a subgraph's port has that of the inner port it exposes."""

from __future__ import annotations

from nodeforge.graph.model import Node, Subgraph
from nodeforge.spec import Catalogue, PortSpec

PICTURE_TYPES = ("image", "mask", "latent")
"""Types of values that are shown as pictures."""


def input_spec(node: Node | None, port: str, catalogue: Catalogue) -> PortSpec | None:
    """The declaration of an input; None where node, type or port is unknown."""
    while isinstance(node, Subgraph):
        targets = node.inputs.get(port)
        if not targets:
            return None
        node, port = node.graph.nodes.get(targets[0].node), targets[0].port
    spec = catalogue.get(node.type) if node else None
    return spec.input.get(port) if spec else None


def output_spec(node: Node | None, port: str, catalogue: Catalogue) -> PortSpec | None:
    """The declaration of an output; None where node, type or port is unknown."""
    while isinstance(node, Subgraph):
        source = node.outputs.get(port)
        if source is None:
            return None
        node, port = node.graph.nodes.get(source.node), source.port
    spec = catalogue.get(node.type) if node else None
    return spec.output.get(port) if spec else None


def title_of(node: Node, name: str, catalogue: Catalogue) -> str:
    """What people call `node`, whose id is `name`."""
    if node.title:
        return node.title
    if isinstance(node, Subgraph):
        return name.replace("_", " ").capitalize()
    spec = catalogue.get(node.type)
    return spec.title if spec else node.type


def port_title(node: Node, name: str, port: str, catalogue: Catalogue) -> str:
    """What people call a port of `node`: ``Load model · text encoder``."""
    return f"{title_of(node, name, catalogue)} · {port.replace('_', ' ')}"


def input_names(node: Node, catalogue: Catalogue) -> list[str]:
    """A node's inputs in the order the window shows them; none for an unknown type."""
    if isinstance(node, Subgraph):
        return sorted(node.inputs)
    spec = catalogue.get(node.type)
    return list(spec.input) if spec else []


def output_names(node: Node, catalogue: Catalogue) -> list[str]:
    """A node's outputs in the order the window shows them; none for an unknown type."""
    if isinstance(node, Subgraph):
        return sorted(node.outputs)
    spec = catalogue.get(node.type)
    return list(spec.output) if spec else []


def picture_port(node: Node, catalogue: Catalogue) -> str:
    """The first output of a node that is shown as a picture; empty for none."""
    for name in output_names(node, catalogue):
        spec = output_spec(node, name, catalogue)
        if spec is not None and spec.type in PICTURE_TYPES:
            return name
    return ""
