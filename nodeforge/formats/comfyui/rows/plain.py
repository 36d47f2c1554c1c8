"""Values and reroutes: what stands in a node of its own and goes where it is used."""

from __future__ import annotations

from typing import Any

from nodeforge.formats.comfyui.making import Making
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.signals import Signal
from nodeforge.graph.model import Output


def _reroute(making: Making) -> None:
    source = next(iter(making.signals.values()), None)
    if source is None:
        making.add("graph.reroute")
        making.give(Signal("", lost=True))
        return
    if source.output is None:  # what waits in the link needs no node to pass it on
        making.give(source)
        return
    name = making.add("graph.reroute", value=source.output)
    making.give(making.pass_on(source.type, Output(name, "value"), next(iter(making.signals))))


_PLAIN: dict[str, tuple[str, Any]] = {
    "INT": ("values.integer", 0),
    "FLOAT": ("values.float", 0.0),
    "STRING": ("values.text", ""),
}


def _primitive(making: Making) -> None:
    """A value for several widgets; where it says a seed or a name, it is one with them."""
    value = making.node.values.get("value")
    kind = next((kind for _, kind in making.node.outputs), "")
    if kind not in _PLAIN:
        kind = {int: "INT", float: "FLOAT", str: "COMBO"}.get(type(value), "COMBO")
    if kind not in _PLAIN or value is None:
        making.give(Signal(kind, value=value))
        return
    _plain_value(making, kind)


def _plain_value(making: Making, kind: str) -> None:
    type_id, default = _PLAIN[kind]
    seeds = making.node.id in making.world.seeds
    given = making.seed("value") if seeds else making.port("value", default)
    name = making.add("values.seed" if seeds else type_id, value=given.value)
    if seeds:
        making.follow_seed(f"{name}.value")
    elif making.control not in ("", "fixed"):
        making.differ("The value changes after each run there, and stays here")
    making.give(Signal(kind, Output(name, "value"), value=given.value))


def _typed(kind: str) -> Any:
    return lambda making: _plain_value(making, kind)


def _switch(making: Making) -> None:
    making.give(Signal("BOOLEAN", value=making.value("value", False)))


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
        dissolves=True,
    ),
)
