"""A graph as JSON values: nodes by id, and links as ``"denoise.model": "load.model"``.

The engine gets its graphs in this form, so reading is one pass with little per node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nodeforge.formats.errors import TooLargeError, WrongShapeError
from nodeforge.graph.model import SUBGRAPH, Graph, Input, Mode, Node, Output, Subgraph
from nodeforge.graph.presentation import FIELDS

MAX_NODES = 20_000
MAX_VERSION = 999_999
"""Of a node type."""
MAX_NESTING = 100
"""Subgraphs inside each other."""

NODE_ID = "[a-z0-9_]+"
PORT = "[A-Za-z0-9_]+"
OUTPUT = rf"{NODE_ID}\.{PORT}"
INPUT = rf"{NODE_ID}\.{PORT}(\[(0|[1-9][0-9]{{0,3}})\])?"
"""Patterns of the published schema, too."""

_is_node_id = re.compile(NODE_ID).fullmatch
_is_port = re.compile(PORT).fullmatch
_is_output = re.compile(OUTPUT).fullmatch
_is_input = re.compile(INPUT).fullmatch
_NODE_FIELDS = frozenset({"type", "values", "title", "mode", "pin", "lint"})
_GROUP_FIELDS = _NODE_FIELDS | {"nodes", "links", "inputs", "outputs", "exposed"}
_LEAF_FIELDS = _NODE_FIELDS | {"version"}
_PLAIN = frozenset({"type", "values", "version"})
_MODES = {mode.value: mode for mode in Mode}


def graph_from_json(raw: dict[str, Any]) -> Graph:
    """The graph in `raw`, an object with ``nodes`` and ``links``; its values are not copied.

    Raises:
        WrongShapeError: something is not what stands there; its place is the spot in the JSON.
        TooLargeError: there are too many nodes, or they are nested too deeply.
    """
    return _Reader().graph(raw, "", 0)


class _Reader:
    def __init__(self) -> None:
        self.count = 0

    def graph(self, raw: dict[str, Any], place: str, depth: int) -> Graph:
        nodes = _table(raw, "nodes", place)
        self.count += len(nodes)
        if self.count > MAX_NODES:
            raise TooLargeError(f"has more than {MAX_NODES:,} nodes.")
        if depth > MAX_NESTING:
            raise TooLargeError(f"has subgraphs nested deeper than {MAX_NESTING} levels.")
        made: dict[str, Node] = {}
        for name, node in nodes.items():
            if not _is_node_id(name):
                fact = f"the id {_short(name)} is not lower-case letters, digits and '_'"
                raise _wrong(f"{place}nodes", fact)
            made[name] = self.node(node, f"{place}nodes.{name}", depth)
        return Graph(made, _links(_table(raw, "links", place), made, place))

    def node(self, raw: Any, place: str, depth: int) -> Node:
        if type(raw) is not dict or type(raw.get("type")) is not str:
            raise _wrong(place, "is not an object with a 'type'")
        values = raw.get("values", {})
        if type(values) is not dict:
            raise _wrong(f"{place}.values", "is not an object")
        if raw["type"] == SUBGRAPH:
            node = self.subgraph(raw, values, f"{place}.", depth)
        else:
            node = Node(raw["type"], values)
            if "version" in raw:
                node.version = _version(raw["version"], place)
        if type(node) is Subgraph or not raw.keys() <= _PLAIN:
            _fill(node, raw, place)
        return node

    def subgraph(
        self, raw: dict[str, Any], values: dict[str, Any], place: str, depth: int
    ) -> Subgraph:
        return Subgraph(
            values=values,
            graph=self.graph(raw, place, depth + 1),
            inputs={
                _port(port, place, "inputs"): _targets(targets, place, port)
                for port, targets in _table(raw, "inputs", place).items()
            },
            outputs={
                _port(port, place, "outputs"): _output(source, place, "outputs", port)
                for port, source in _table(raw, "outputs", place).items()
            },
            exposed={
                _port(port, place, "exposed"): _presentation(entry, place, port)
                for port, entry in _table(raw, "exposed", place).items()
            },
        )


def _presentation(entry: Any, place: str, port: str) -> dict[str, Any]:
    """How an exposed port is shown; fields that this version does not know are kept."""
    if type(entry) is not dict:
        raise _wrong(f"{place}exposed.{port}", "is not an object")
    for field, read in FIELDS.items():
        if field in entry and read(entry[field]) is None:
            kind = "text" if field in ("label", "help") else "a finite number"
            raise _wrong(f"{place}exposed.{port}.{field}", f"is not {kind}")
    return entry


def _fill(node: Node, raw: dict[str, Any], place: str) -> None:
    node.title = raw.get("title", "")
    if type(node.title) is not str:
        raise _wrong(f"{place}.title", "is not text")
    node.pin = raw.get("pin", False)
    if type(node.pin) is not bool:
        raise _wrong(f"{place}.pin", "is not true or false")
    mode = raw.get("mode", "")
    if type(mode) is not str or mode not in _MODES:
        raise _wrong(f"{place}.mode", "is not 'mute' or 'bypass'")
    node.mode = _MODES[mode]
    node.lint = reasons(raw, f"{place}.")
    known = _GROUP_FIELDS if isinstance(node, Subgraph) else _LEAF_FIELDS
    if not raw.keys() <= known:
        node.extra = {key: raw[key] for key in raw if key not in known}


def reasons(raw: dict[str, Any], place: str) -> dict[str, str]:
    """The rules of the linter that `raw` silences, with the reasons."""
    table = _table(raw, "lint", place)
    for key, reason in table.items():
        if type(reason) is not str:
            raise _wrong(
                f"{place}lint.{_short(key)}", "is not text, the reason to silence the rule"
            )
    return table


def _version(raw: Any, place: str) -> int:
    if type(raw) is not int or not 1 <= raw <= MAX_VERSION:
        raise _wrong(f"{place}.version", f"is not a whole number from 1 to {MAX_VERSION}")
    return raw


def _links(raw: dict[str, Any], nodes: dict[str, Node], place: str) -> dict[Input, Output]:
    links: dict[Input, Output] = {}
    for end, start in raw.items():
        node, _, port = end.partition(".")
        if (
            node in nodes and port.isidentifier() and port.isascii()
        ):  # the common case, without the patterns
            target = Input(node, port)
        else:
            target = _input(end, place, "links")
        links[target] = _output(start, place, "links", end)
    return links


def _table(raw: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    table = raw.get(name, {})
    if type(table) is not dict:
        raise _wrong(place + name, "is not an object")
    return table


def _port(name: str, place: str, field: str) -> str:
    if not _is_port(name):
        raise _wrong(place + field, f"{_short(name)} is not a port's name")
    return name


def _targets(raw: Any, place: str, port: str) -> list[Input]:
    if type(raw) is not list:
        raise _wrong(f"{place}inputs.{port}", "is not a list of inputs such as 'denoise.model'")
    return [_input(target, place, f"inputs.{port}") for target in raw]


def _input(text: Any, place: str, field: str) -> Input:
    match = _is_input(text) if type(text) is str else None
    if match is None:
        raise _wrong(place + field, f"{_short(text)} is not an input such as 'denoise.model'")
    node, _, port = match[0].partition(".")
    item = match[2]
    return Input(node, port) if item is None else Input(node, port.partition("[")[0], int(item))


def _output(text: Any, place: str, field: str, key: str) -> Output:
    if type(text) is not str or not _is_output(text):
        fact = f"{_short(text)} is not an output such as 'load.model'"
        raise _wrong(f"{place}{field}.{key}", fact)
    node, _, port = text.partition(".")
    return Output(node, port)


def _wrong(place: str, fact: str) -> WrongShapeError:
    return WrongShapeError(f"{fact}.", place=place)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def graph_to_json(graph: Graph, versions: Mapping[str, int] | None = None) -> dict[str, Any]:
    """`graph` as an object with ``nodes`` and ``links``; shares the values with `graph`.

    Args:
        versions: Today's versions by node type, for nodes that were not read from a file.
    """
    known = versions or {}
    return {
        "nodes": {name: _node_to_json(node, known) for name, node in graph.nodes.items()},
        "links": {str(end): str(start) for end, start in graph.links.items()},
    }


def _node_to_json(node: Node, versions: Mapping[str, int]) -> dict[str, Any]:
    raw: dict[str, Any] = {**node.extra, "type": node.type}
    if version := node.version or versions.get(node.type, 0):
        raw["version"] = version
    if node.values:
        raw["values"] = node.values
    if node.title:
        raw["title"] = node.title
    if node.mode is not Mode.ACTIVE:
        raw["mode"] = node.mode.value
    if node.pin:
        raw["pin"] = True
    if node.lint:
        raw["lint"] = node.lint
    if isinstance(node, Subgraph):
        raw |= graph_to_json(node.graph, versions)
        raw["inputs"] = {port: [str(t) for t in targets] for port, targets in node.inputs.items()}
        raw["outputs"] = {port: str(source) for port, source in node.outputs.items()}
        if node.exposed:
            raw["exposed"] = node.exposed
    return raw
