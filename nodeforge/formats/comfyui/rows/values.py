"""Values and reroutes: what stands in a node of its own and goes where it is used."""

from __future__ import annotations

from typing import Any

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.graph.model import Output


def _reroute(node: NodeConversion) -> None:
    source = next(iter(node.linked.values()), None)
    if source is None:
        node.add("graph.reroute")
        node.set_outputs(LinkValue("", muted=True))
        return
    if source.output is None:  # what waits in the link needs no node to pass it on
        node.set_outputs(source)
        return
    name = node.add("graph.reroute", value=source.output)
    node.set_outputs(node.updated(source.type, Output(name, "value"), next(iter(node.linked))))


_PLAIN: dict[str, tuple[str, Any]] = {
    "INT": ("values.integer", 0),
    "FLOAT": ("values.float", 0.0),
    "STRING": ("values.text", ""),
}


def _primitive(node: NodeConversion) -> None:
    """A value for several widgets; where it says a seed or a name, it is one with them."""
    value = node.source.values.get("value")
    kind = next((kind for _, kind in node.source.outputs), "")
    if kind not in _PLAIN:
        kind = {int: "INT", float: "FLOAT", str: "COMBO"}.get(type(value), "COMBO")
    if kind not in _PLAIN or value is None:
        node.set_outputs(LinkValue(kind, value=value))
        return
    _plain_value(node, kind)


def _plain_value(node: NodeConversion, kind: str) -> None:
    type_id, default = _PLAIN[kind]
    seeds = node.source.id in node.workflow.seeds
    given = node.seed("value") if seeds else node.input_value("value", default)
    name = node.add("values.seed" if seeds else type_id, value=given.value)
    if seeds:
        node.set_seed_control(f"{name}.value")
    elif node.control not in ("", "fixed"):
        node.report_difference("The value changes after each run there, and stays here")
    node.set_outputs(LinkValue(kind, Output(name, "value"), value=given.value))


def _typed(kind: str) -> Any:
    return lambda node: _plain_value(node, kind)


def _switch(node: NodeConversion) -> None:
    node.set_outputs(LinkValue("BOOLEAN", value=node.known_value("value", False)))


ROWS = (
    Row("Reroute", "Reroute", (), ("*",), ("graph.reroute",), _reroute),
    Row(
        "PrimitiveNode",
        "Primitive",
        ("value",),
        ("*",),
        ("values.integer", "values.float", "values.text", "values.seed"),
        _primitive,
        "Names that are chosen from a list go where they are used.",
    ),
    Row("PrimitiveInt", "Int", ("value",), ("INT",), ("values.integer",), _typed("INT")),
    Row("PrimitiveFloat", "Float", ("value",), ("FLOAT",), ("values.float",), _typed("FLOAT")),
    Row("PrimitiveString", "String", ("value",), ("STRING",), ("values.text",), _typed("STRING")),
    Row(
        "PrimitiveStringMultiline",
        "String (Multiline)",
        ("value",),
        ("STRING",),
        ("values.text",),
        _typed("STRING"),
    ),
    Row(
        "PrimitiveBoolean",
        "Boolean",
        ("value",),
        ("BOOLEAN",),
        (),
        _switch,
        "Goes where it is used.",
        virtual=True,
    ),
)
