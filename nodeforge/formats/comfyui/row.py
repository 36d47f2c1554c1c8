"""A row of the table of ComfyUI classes, and the functions that most rows share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.comfyui.link_value import InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import Convert, NoCounterpartError, NodeConversion


@dataclass(frozen=True)
class Row:
    """One ComfyUI class.

    Args:
        class_type: Its class.
        name: Its display name in ComfyUI; a title equal to it is not the user's.
        widgets: The names of its widget values, in order.
        outputs: ComfyUI's types of its outputs.
        becomes: Types of the NodeForge nodes; empty where it only sets values of others.
        convert: Converts one node of the class.
        remark: A remark for the documentation.
        difference: A difference in the picture that every use has.
        older_widgets: How many values older versions have, to their names in order.
        virtual: It has no node of its own in NodeForge, so a bypassed one leaves nothing.
    """

    class_type: str
    name: str
    widgets: tuple[str, ...]
    outputs: tuple[str, ...]
    becomes: tuple[str, ...]
    convert: Convert
    remark: str = ""
    difference: str = ""
    virtual: bool = False
    older_widgets: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


Change = Callable[[Any], Any]
"""ComfyUI's value to NodeForge's; raises `NoCounterpartError` where there is none."""


def single_node(
    kind: str,
    name: str,
    becomes: str,
    takes: Mapping[str, str],
    gives: str = "",
    *,
    values: Mapping[str, tuple[str, Any]] | None = None,
    changes: Mapping[str, Change] | None = None,
    fixed: Mapping[str, Any] | None = None,
    widgets: str = "",
    remark: str = "",
    differs: str = "",
) -> Row:
    """A row whose class becomes one NodeForge node.

    Args:
        takes: NodeForge port to the ComfyUI input linked to it.
        gives: ``TYPE:port`` for each output, separated by spaces.
        values: NodeForge port to the ComfyUI value's name and default.
        changes: NodeForge port to the function that converts its value.
        fixed: NodeForge values that ComfyUI has no widget for.
        widgets: Names of all widget values in order; by default those of `values`.
    """
    values, changes = values or {}, changes or {}
    outputs = [tuple(each.split(":")) for each in gives.split()]

    def make(node: NodeConversion) -> None:
        inputs: dict[str, Any] = dict(fixed or {})
        for port, (there, default) in values.items():
            if port in changes:
                inputs[port] = InputValue(changes[port](node.known_value(there, default)))
            else:
                inputs[port] = node.input_value(there, default)
        links = {port: node.output(there) for port, there in takes.items()}
        made = node.add(becomes, **links, **inputs)
        node.set_outputs(*(_updated_link(node, takes, made, *output) for output in outputs))

    names = tuple(widgets.split()) if widgets else tuple(there for there, _ in values.values())
    types = tuple(kind for kind, _ in outputs)
    return Row(kind, name, names, types, (becomes,), make, remark, differs)


def _updated_link(
    node: NodeConversion, takes: Mapping[str, str], made: str, kind: str, port: str
) -> LinkValue:
    """An output's value: that of the first input of its type, with the new output."""
    same = (there for there in takes.values() if (s := node.link_value(there)) and s.type == kind)
    return node.updated(kind, node.place(made, port), next(same, ""))


def passes_on(
    kind: str, name: str, outputs: Mapping[str, str], *, widgets: str = "", remark: str = ""
) -> Row:
    """A row whose class changes nothing here: its outputs are what its inputs are fed.

    Args:
        outputs: The input that each output passes on, to ComfyUI's type of the output.
        widgets: Names of its widget values in order.
    """

    def make(node: NodeConversion) -> None:
        links = [_passed(node, slot, *each) for slot, each in enumerate(outputs.items())]
        node.set_outputs(*links)

    types = tuple(outputs.values())
    return Row(kind, name, tuple(widgets.split()), types, (), make, remark, virtual=True)


def _passed(node: NodeConversion, slot: int, there: str, kind: str) -> LinkValue:
    """What feeds an input; where nothing does, the text or number that stands there."""
    found = node.link_value(there)
    if found is None:
        return LinkValue(kind, value=node.source.values.get(there))
    if kind != "STRING" or found.type in ("STRING", "COMBO", "*", ""):
        return found
    if found.value is None and node.workflow.is_linked(node.source, slot):
        raise NoCounterpartError("makes a text of a value that is known only while running.")
    return LinkValue(kind, value=None if found.value is None else str(found.value))
