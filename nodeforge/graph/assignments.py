"""`NODE.PORT=VALUE` or `LABEL=VALUE` as text: the input that it names, and what it means there."""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple

from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.form import find_entry, form_entries
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Input, Node, Subgraph
from nodeforge.graph.ports import input_spec
from nodeforge.spec import BOOLEAN, FLOAT, INTEGER, TEXT, Catalogue, PortSpec
from nodeforge.spec.widget import LimitedWidget
from nodeforge.values.setting_names import AUTO

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class AssignmentError(RequestError):
    """An input that is not there, or a value that it cannot have."""


class NamedInput(NamedTuple):
    """An unlinked input with a widget: the node's path, the node, and the port."""

    path: str
    node: Node
    port: PortSpec


def find_input(document: Document, catalogue: Catalogue, target: str) -> NamedInput:
    """The input that `target` names, as ``NODE.PORT`` or by its label on the form.

    NODE is an id or a title. By its label, an input has the range that the form gives it.

    Raises:
        AssignmentError: there is no such node, port or label, or a link feeds it.
    """
    try:
        return _by_port(document, catalogue, target)
    except AssignmentError as error:
        try:
            entry = find_entry(document, catalogue, target)
        except RequestError as ambiguous:
            raise AssignmentError(ambiguous.fact, way_out=ambiguous.way_out) from None
        if entry is None:
            labels = [each.label for each in form_entries(document, catalogue)]
            near = difflib.get_close_matches(target, labels, n=1)
            way_out = f"Did you mean '{near[0]}'?" if near else error.way_out
            raise AssignmentError(error.fact, way_out=way_out) from None
    assert entry.port is not None
    found = _by_port(document, catalogue, entry.key)
    return found._replace(port=entry.port)


def _by_port(document: Document, catalogue: Catalogue, target: str) -> NamedInput:
    name, dot, port_name = target.rpartition(".")
    if not (dot and name and port_name):
        raise AssignmentError(
            f"'{target}' is neither NODE.PORT nor a label of the form.",
            way_out="For example prompt.text.",
        )
    path, node = _find_node(document, name)
    port = input_spec(node, port_name, catalogue)
    if port is None or port.widget is None:
        raise AssignmentError(
            f"'{name}' has no value '{port_name}'.", way_out=_ports_of(node, catalogue)
        )
    graph, node_id = document.place(path)
    if Input(node_id, port_name) in graph.links:
        raise AssignmentError(
            f"'{target}' is fed by a link, so its value has no effect.",
            way_out="Set the value at the node that the link comes from.",
        )
    return NamedInput(path, node, port)


def parse_value(port: PortSpec, text: str) -> Any:
    """What `text` means for an input that is no file; None for ``auto``.

    Raises:
        AssignmentError: it is none of the input's type.
    """
    if text.lower() == AUTO and port.type != TEXT and not port.required:
        return None  # left to the model
    try:
        return _plain(port.type, text)
    except ValueError:
        raise AssignmentError(
            f"'{text}' is no {port.type}.", way_out=f"Give a value of type {port.type}."
        ) from None


def check_allowed(port: PortSpec, value: Any) -> None:
    """Raise `AssignmentError` where the input does not allow `value`, which is of its type."""
    widget = port.widget
    if value is None or not isinstance(widget, LimitedWidget) or widget.allows(value):
        return
    options = getattr(widget, "options", ())
    near = difflib.get_close_matches(str(value), options, n=1)
    raise AssignmentError(
        f"'{value}' is not {widget.allowed}.",
        way_out=f"Did you mean '{near[0]}'?" if near else "Choose another value.",
    )


def _find_node(document: Document, name: str) -> tuple[str, Node]:
    nodes = every_node(document.graph)
    if name in nodes:
        return name, nodes[name]
    titled = [path for path, node in nodes.items() if node.title == name]
    if len(titled) == 1:
        return titled[0], nodes[titled[0]]
    if titled:
        fact = f"{len(titled)} nodes have the title '{name}': {', '.join(titled)}."
        raise AssignmentError(fact, way_out="Use the node's id.")
    near = difflib.get_close_matches(name, [*nodes, *(n.title for n in nodes.values())], n=1)
    raise AssignmentError(
        f"there is no node '{name}'.",
        way_out=f"Did you mean '{near[0]}'?" if near else f"Nodes: {', '.join(nodes)}.",
    )


def _ports_of(node: Node, catalogue: Catalogue) -> str:
    if isinstance(node, Subgraph):
        return f"It has: {', '.join(node.inputs)}."
    spec = catalogue.get(node.type)
    if spec is None:
        return f"Its type, {node.type}, is not known here."
    return f"It has: {', '.join(port.name for port in spec.inputs if port.widget)}."


def _plain(type_name: str, text: str) -> Any:
    if type_name == INTEGER:
        return int(text)
    if type_name == FLOAT:
        return float(text)
    if type_name == BOOLEAN:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError(text)
    return text
