"""A row of the table of ComfyUI's classes, and the functions that most rows share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nodeforge.formats.comfyui.making import Make, Making
from nodeforge.formats.comfyui.signals import Port, Signal


@dataclass(frozen=True)
class Row:
    """One class of ComfyUI.

    Args:
        kind: Its class.
        name: What ComfyUI's window calls it; a title that says so is no title of the person's.
        widgets: The names of its values, in their order.
        gives: ComfyUI's types of its outputs.
        becomes: Types of our nodes; empty where it only says something to others.
        make: Makes ours.
        remark: How to understand it, where that needs saying.
        differs: What makes another picture, always.
        dissolves: What stands for it here is in other nodes, so that bypassing it leaves nothing.
    """

    kind: str
    name: str
    widgets: tuple[str, ...]
    gives: tuple[str, ...]
    becomes: tuple[str, ...]
    make: Make
    remark: str = ""
    differs: str = ""
    dissolves: bool = False


Change = Callable[[Any], Any]
"""From ComfyUI's value to ours; it raises `NoCounterpartError` where there is none."""


def one(
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
    """A row whose class is one node of ours.

    Args:
        takes: Our port to the input there that is linked to it.
        gives: ``TYPE:port`` for each output, between spaces.
        values: Our port to the value there and its default.
        changes: Our port to how its value is changed.
        fixed: Values of ours that say what there cannot be set.
        widgets: Names of all values in their order; by default those of `values`.
    """
    values, changes = values or {}, changes or {}
    outputs = [tuple(each.split(":")) for each in gives.split()]

    def make(making: Making) -> None:
        inputs: dict[str, Any] = dict(fixed or {})
        for port, (there, default) in values.items():
            if port in changes:
                inputs[port] = Port(changes[port](making.value(there, default)))
            else:
                inputs[port] = making.port(there, default)
        links = {port: making.output(there) for port, there in takes.items()}
        made = making.add(becomes, **links, **inputs)
        making.give(*(_carried(making, takes, made, *output) for output in outputs))

    names = tuple(widgets.split()) if widgets else tuple(there for there, _ in values.values())
    types = tuple(kind for kind, _ in outputs)
    return Row(kind, name, names, types, (becomes,), make, remark, differs)


def _carried(making: Making, takes: Mapping[str, str], made: str, kind: str, port: str) -> Signal:
    """What an output gives: all that waits in the first input of its type goes on."""
    same = (there for there in takes.values() if (s := making.signal(there)) and s.type == kind)
    return making.pass_on(kind, making.place(made, port), next(same, ""))
