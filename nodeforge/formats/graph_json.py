"""A graph as JSON values: nodes by id, and links as ``"denoise.model": "load.model"``.

The engine gets its graphs in this form, so reading is one pass with little per node.
"""

from __future__ import annotations

import re
from typing import Any

from nodeforge.formats.errors import TooLargeError, WrongShapeError
from nodeforge.formats.json_text import check_depth
from nodeforge.graph.model import SUBGRAPH, Graph, Input, Mode, Node, Output, Subgraph

MAX_NODES = 100_000
MAX_ITEMS = 10_000

_NODE_ID = re.compile(r"[a-z0-9_]+\Z").match
_OUTPUT = re.compile(r"([a-z0-9_]+)\.(\w+)\Z").match
_INPUT = re.compile(r"([a-z0-9_]+)\.(\w+)(?:\[(\d{1,6})\])?\Z").match
_NODE_FIELDS = frozenset({"type", "values", "title", "mode", "pin"})
_GROUP_FIELDS = _NODE_FIELDS | {"nodes", "links", "inputs", "outputs"}
_MODES = {mode.value: mode for mode in Mode}


def graph_from_json(raw: dict[str, Any]) -> Graph:
    """The graph in `raw`, an object with ``nodes`` and ``links``; its values are not copied.

    Raises:
        WrongShapeError: something is not what stands there; its place is the spot in the JSON.
        TooLargeError: there are too many nodes, or they are nested too deeply.
    """
    check_depth(raw)
    return _Reader().graph(raw, "")


class _Reader:
    def __init__(self) -> None:
        self.count = 0

    def graph(self, raw: dict[str, Any], place: str) -> Graph:
        nodes = _table(raw, "nodes", place)
        links = _table(raw, "links", place)
        self.count += len(nodes)
        if self.count > MAX_NODES:
            raise TooLargeError(f"has more than {MAX_NODES:,} nodes.")
        graph = Graph()
        for name, node in nodes.items():
            if not _NODE_ID(name):
                raise _wrong(
                    f"{place}nodes", f"the id '{name}' is not lower-case letters, digits and '_'"
                )
            graph.nodes[name] = self.node(node, place, name)
        for end, start in links.items():
            graph.links[_input(end, place, "links")] = _output(start, place, "links", end)
        return graph

    def node(self, raw: Any, place: str, name: str) -> Node:
        if type(raw) is not dict or type(raw.get("type")) is not str:
            raise _wrong(f"{place}nodes.{name}", "is not an object with a 'type'")
        if raw["type"] == SUBGRAPH:
            return self.subgraph(raw, f"{place}nodes.{name}.")
        node = Node(raw["type"])
        _fill(node, raw, place, name)
        if not raw.keys() <= _NODE_FIELDS:
            node.extra = {key: raw[key] for key in raw if key not in _NODE_FIELDS}
        return node

    def subgraph(self, raw: dict[str, Any], place: str) -> Subgraph:
        made = Subgraph(graph=self.graph(raw, place))
        outer, _, name = place[:-1].rpartition("nodes.")
        _fill(made, raw, outer, name)
        made.inputs = {
            port: _targets(targets, place, port)
            for port, targets in _table(raw, "inputs", place).items()
        }
        made.outputs = {
            port: _output(source, place, "outputs", port)
            for port, source in _table(raw, "outputs", place).items()
        }
        made.extra = {key: raw[key] for key in raw if key not in _GROUP_FIELDS}
        return made


def _fill(node: Node, raw: dict[str, Any], place: str, name: str) -> None:
    if (values := raw.get("values")) is not None:
        if type(values) is not dict:
            raise _wrong(f"{place}nodes.{name}.values", "is not an object")
        node.values = values
    if len(raw) <= 2 and values is not None:
        return
    node.title = raw.get("title", "")
    node.pin = raw.get("pin", False)
    if type(node.title) is not str:
        raise _wrong(f"{place}nodes.{name}.title", "is not text")
    if type(node.pin) is not bool:
        raise _wrong(f"{place}nodes.{name}.pin", "is not true or false")
    mode = raw.get("mode", "")
    if type(mode) is not str or mode not in _MODES:
        raise _wrong(f"{place}nodes.{name}.mode", "is not 'mute' or 'bypass'")
    node.mode = _MODES[mode]


def _table(raw: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    table = raw.get(name, {})
    if type(table) is not dict:
        raise _wrong(place + name, "is not an object")
    return table


def _targets(raw: Any, place: str, port: str) -> list[Input]:
    if type(raw) is not list:
        raise _wrong(f"{place}inputs.{port}", "is not a list of inputs such as 'denoise.model'")
    return [_input(target, place, f"inputs.{port}") for target in raw]


def _input(text: Any, place: str, field: str) -> Input:
    match = _INPUT(text) if type(text) is str else None
    if match is None:
        raise _wrong(place + field, f"{_short(text)} is not an input such as 'denoise.model'")
    node, port, item = match.groups()
    if item is None:
        return Input(node, port)
    if int(item) >= MAX_ITEMS or (item[0] == "0" and item != "0"):
        raise _wrong(place + field, f"{_short(text)} has an item that is not 0 to {MAX_ITEMS - 1}")
    return Input(node, port, int(item))


def _output(text: Any, place: str, field: str, key: str) -> Output:
    match = _OUTPUT(text) if type(text) is str else None
    if match is None:
        fact = f"{_short(text)} is not an output such as 'load.model'"
        raise _wrong(f"{place}{field}.{key}", fact)
    node, port = match.groups()
    return Output(node, port)


def _wrong(place: str, fact: str) -> WrongShapeError:
    return WrongShapeError(f"{fact}.", place=place)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """`graph` as an object with ``nodes`` and ``links``; shares the values with `graph`."""
    return {
        "nodes": {name: _node_to_json(node) for name, node in graph.nodes.items()},
        "links": {str(end): str(start) for end, start in graph.links.items()},
    }


def _node_to_json(node: Node) -> dict[str, Any]:
    raw: dict[str, Any] = {**node.extra, "type": node.type}
    if node.values:
        raw["values"] = node.values
    if node.title:
        raw["title"] = node.title
    if node.mode is not Mode.ACTIVE:
        raw["mode"] = node.mode.value
    if node.pin:
        raw["pin"] = True
    if isinstance(node, Subgraph):
        raw |= graph_to_json(node.graph)
        raw["inputs"] = {port: [str(t) for t in targets] for port, targets in node.inputs.items()}
        raw["outputs"] = {port: str(source) for port, source in node.outputs.items()}
    return raw
