"""Values and reroutes: what stands in a node of its own and goes where it is used."""

from __future__ import annotations

import math
import re
from typing import Any

from nodeforge.formats.comfyui.link_value import InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NodeConversion
from nodeforge.formats.comfyui.row import Row, passes_on
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


def _pass_on(node: NodeConversion) -> None:
    node.set_outputs(next(iter(node.linked.values()), LinkValue("", muted=True)))


_PLAIN: dict[str, tuple[str, Any]] = {
    "INT": ("values.integer", 0),
    "FLOAT": ("values.float", 0.0),
    "STRING": ("values.text", ""),
}


def _primitive(node: NodeConversion) -> None:
    """A value for several widgets; where it says a seed or a name, it is one with them."""
    value = node.source.values.get("value")
    if value is None and "value" in node.source.values:
        node.report_problem("its 'value' is NaN, Infinity or null, so it gives none")
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


_SIDES = re.compile(r"(\d+)[:_](\d+)")


def _resolution(node: NodeConversion) -> None:
    """Sides of a shape and so many megapixels (of 1024 x 1024), in multiples."""
    found = _SIDES.search(str(node.known_value("aspect_ratio", "1:1")))
    across, down = (max(int(side), 1) for side in found.groups()) if found else (1, 1)
    total = float(node.known_value("megapixels", 1.0)) * 1024 * 1024
    multiple = max(int(node.known_value("multiple", 8)), 1)
    sides = math.sqrt(total * across / down), math.sqrt(total * down / across)
    whole = [max(round(side / multiple), 1) * multiple for side in sides]
    node.set_outputs(*(LinkValue("INT", value=side) for side in whole))


_DRAWS = {-1: "randomize", -2: "increment", -3: "decrement"}
"""Seeds that stand for what happens to the seed before each run, in packs."""


def pack_seed(node: NodeConversion, name: str = "seed") -> InputValue:
    """A seed, of which -1 draws another for each run; the node's control follows."""
    given = node.input_value(name, 0)
    if given.value not in _DRAWS:
        return node.seed(name)
    node.control = _DRAWS[given.value]
    return InputValue(0, given.output)


def _seed(node: NodeConversion) -> None:
    made = node.add("values.seed", value=pack_seed(node).value)
    node.set_seed_control(f"{made}.value")
    value = node.nodes[made].values["value"]
    shown = LinkValue("INT", Output(made, "value"), value=value)
    node.set_outputs(shown, *(LinkValue("STRING", value="") for _ in range(2)))


def _typed_by(widget: str) -> Any:
    def make(node: NodeConversion) -> None:
        given = node.input_value(widget, "")
        made = node.add("values.text", value=given)
        node.set_outputs(LinkValue("STRING", Output(made, "value"), value=given.value))

    return make


def _combo(node: NodeConversion) -> None:
    """A choice between options that the user wrote."""
    choice = node.known_value("choice", "")
    options = [value for name, value in node.source.values.items() if name.startswith("option")]
    index = options.index(choice) if choice in options else node.known_value("index", 0)
    node.set_outputs(LinkValue("STRING", value=choice), LinkValue("INT", value=index))


_SEEDS = {
    "Seed (rgthree)": ("Seed", "seed"),
    "easy seed": ("EasySeed", "seed"),
    "CR Seed": ("CR Seed", "seed"),
}
_TEXTS = {
    "Text Multiline": ("Text Multiline", "text"),
    "Text box": ("Text box", "Text"),
    "CR Text": ("CR Text", "text"),
    "CR Prompt Text": ("CR Prompt Text", "prompt"),
    "ttN text": ("text", "text"),
}
_NAMED = "Goes where its name is got."
_SHOWN = "The text stays where it is made."

ROWS = (
    Row("Reroute", "Reroute", (), ("*",), ("graph.reroute",), _reroute),
    Row("SetNode", "Set", ("name",), ("*",), (), _pass_on, _NAMED, virtual=True),
    Row("GetNode", "Get", ("name",), ("*",), (), _pass_on, _NAMED, virtual=True),
    Row("Reroute (rgthree)", "Reroute", (), ("*",), ("graph.reroute",), _reroute),
    *(
        Row(kind, name, (widget,), ("INT",), ("values.seed",), _seed)
        for kind, (name, widget) in _SEEDS.items()
    ),
    *(
        Row(kind, name, (widget,), ("STRING",), ("values.text",), _typed_by(widget))
        for kind, (name, widget) in _TEXTS.items()
    ),
    Row(
        "CustomCombo",
        "Custom Combo",
        ("choice", "index", *(f"option{number}" for number in range(1, 33))),
        ("STRING", "INT"),
        (),
        _combo,
        "Goes where it is used.",
        virtual=True,
    ),
    passes_on("PreviewAny", "Preview as Text", {"source": "STRING"}, remark=_SHOWN),
    passes_on("ShowText|pysssss", "Show Text", {"text": "STRING"}, remark=_SHOWN),
    passes_on(
        "Text to Console",
        "Text to Console",
        {"text": "STRING"},
        widgets="label",
        remark=_SHOWN,
    ),
    Row(
        "PrimitiveNode",
        "Primitive",
        ("value",),
        ("*",),
        ("values.integer", "values.float", "values.text", "values.seed"),
        _primitive,
        "Names that are chosen from a list go where they are used.",
    ),
    Row(
        "ResolutionSelector",
        "Resolution Selector",
        ("aspect_ratio", "megapixels", "multiple"),
        ("INT", "INT"),
        (),
        _resolution,
        "Width and height go where they are used.",
        virtual=True,
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
