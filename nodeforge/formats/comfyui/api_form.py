"""The API form: nodes by id, each with its class and its inputs by name."""

from __future__ import annotations

from typing import Any

from nodeforge.formats.comfyui.comfy_graph import MOST_SLOTS, ComfyGraph, ComfyNode, Source


def is_api_form(raw: dict[str, Any]) -> bool:
    """Whether `raw` holds at least one node of this form."""
    return any(_is_node(node) for node in raw.values())


def read(raw: dict[str, Any]) -> ComfyGraph:
    """The workflow in `raw`; entries that are no nodes are named in its `problems`.

    Raises:
        TooLargeError: there are too many nodes.
    """
    graph = ComfyGraph()
    ids = {name for name, node in raw.items() if _is_node(node)}
    for name, node in raw.items():
        if name in ids:
            graph.add(_node(name, node, ids, graph.problems))
        else:
            graph.problems.append(f"The entry '{name[:40]}' is no node and was left out.")
    graph.drop_broken_links()
    return graph


def _is_node(raw: Any) -> bool:
    return type(raw) is dict and type(raw.get("class_type")) is str


def _node(name: str, raw: dict[str, Any], ids: set[str], problems: list[str]) -> ComfyNode:
    made = ComfyNode(name, raw["class_type"].strip())
    inputs, meta = raw.get("inputs"), raw.get("_meta")
    if inputs is not None and type(inputs) is not dict:
        problems.append(f"{made.label}: its 'inputs' are no object, and were left out.")
    for port, value in inputs.items() if type(inputs) is dict else ():
        if _is_link(value):
            made.links[port] = Source(str(value[0]), value[1])
        elif _is_broken_link(value, ids):
            problems.append(
                f"{made.label}: its '{port[:40]}' is no link of a node and the number of an "
                f"output: {str(value)[:40]}; it was left out."
            )
        elif type(value) is dict and set(value) == {"__value__"}:  # a list that is no link
            made.values[port] = value["__value__"]
        else:
            made.values[port] = value
    title = meta.get("title") if type(meta) is dict else None
    made.title = title if type(title) is str else ""
    return made


def _is_link(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) == 2
        and type(value[0]) in (str, int)
        and type(value[1]) is int
        and 0 <= value[1] < MOST_SLOTS
    )


def _is_broken_link(value: Any, ids: set[str]) -> bool:
    """Whether `value` begins as a link from a node of the file does, and goes on otherwise."""
    return type(value) is list and bool(value) and type(value[0]) is str and value[0] in ids
