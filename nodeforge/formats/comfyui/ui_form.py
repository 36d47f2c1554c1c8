"""The UI form, which ComfyUI's front end saves: nodes with positions, numbered links, subgraphs.

Subgraphs are flattened: a node inside one has the id ``12:3``, as in the API form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.comfyui.comfy_graph import (
    MOST_SLOTS,
    SEEDS,
    ComfyGraph,
    ComfyNode,
    Group,
    Rect,
    Source,
    SubgraphNode,
    control_word,
)
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.graph_json import MAX_NESTING, MAX_NODES
from nodeforge.graph.model import Mode

MOST_SUBGRAPHS = 250
"""Uses of subgraphs, each of which may hold others."""

_is_colour = re.compile("#[0-9a-fA-F]{6}").fullmatch
_is_short_colour = re.compile("#[0-9a-fA-F]{3}").fullmatch
_MODES = {2: Mode.MUTE, 4: Mode.BYPASS}
_INSIDE, _OUTSIDE = "-10", "-20"
"""What links inside a subgraph call its inputs, and its outputs."""


def is_ui_form(raw: dict[str, Any]) -> bool:
    """Whether `raw` is a list of nodes with types."""
    nodes = raw.get("nodes")
    return type(nodes) is list and (
        any(_is_node(node) for node in nodes)
        or (not nodes and ("last_node_id" in raw or type(raw.get("state")) is dict))
    )


def read(raw: dict[str, Any]) -> ComfyGraph:
    """The workflow in `raw`; what cannot be read is named in its `problems`.

    Raises:
        TooLargeError: there are too many nodes.
    """
    return _Reader(raw).read()


@dataclass
class _Level:
    """A graph that is being read: the root, or one use of a subgraph."""

    raw: dict[str, Any]
    prefix: str = ""
    depth: int = 0
    mode: Mode = Mode.ACTIVE
    inputs: list[Source | None] = field(default_factory=list)
    """What feeds each input of the subgraph."""
    outputs: dict[int, Source] = field(default_factory=dict)
    """What each output of the subgraph shows."""


class _Reader:
    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.graph = ComfyGraph()
        self.definitions = _definitions(raw)
        self.aliases: dict[Source, Source] = {}
        """Outputs of subgraphs' nodes to what they show, one level inside."""

    def read(self) -> ComfyGraph:
        waiting = [_Level(self.raw)]
        while waiting:
            level = waiting.pop(0)
            waiting += self._level(level)
        for node in self.graph.nodes.values():
            node.links = {name: self._end(source) for name, source in node.links.items()}
            node.links = {n: s for n, s in node.links.items() if s.node in self.graph.nodes}
        return self.graph

    def _end(self, source: Source) -> Source:
        for _ in range(2 * MAX_NESTING):
            if source not in self.aliases:
                break
            source = self.aliases[source]
        return source

    def _level(self, level: _Level) -> Iterator[_Level]:
        links = _links(level.raw)
        for raw in _dicts(level.raw.get("nodes")):
            if not _is_node(raw):
                self.graph.problems.append("An entry among the nodes is no node; it was left out.")
                continue
            node = _node(raw, level, links)
            definition = self.definitions.get(node.class_type)
            if definition is not None and level.depth < MAX_NESTING:
                if type(raw.get("widgets_values_named")) is not dict:
                    _name_subgraph_values(node, definition)
                yield self._inner(level, node, raw, definition)
                continue
            self.graph.nodes[node.id] = node
            if len(self.graph.nodes) > MAX_NODES:
                raise TooLargeError(f"has more than {MAX_NODES:,} nodes.")
        self.graph.groups += _frames(level)
        for start, end in links.values():
            if end.node == _OUTSIDE:
                shown = _from_inside(start, level)
                if shown is not None:
                    self.aliases[Source(level.prefix.rstrip(":"), end.slot)] = shown

    def _inner(
        self, level: _Level, node: ComfyNode, raw: dict[str, Any], definition: dict[str, Any]
    ) -> _Level:
        name = definition.get("name")
        title = node.title or (name if type(name) is str else "")
        self.graph.subgraphs[node.id] = SubgraphNode(title, node.rect)
        if len(self.graph.subgraphs) > MOST_SUBGRAPHS:
            raise TooLargeError(f"uses more than {MOST_SUBGRAPHS} subgraphs.")
        mode = node.mode if node.mode is not Mode.ACTIVE else level.mode
        if node.mode is Mode.BYPASS:
            self.graph.problems.append(
                f"The subgraph {node.id} is bypassed: so is each node inside of it."
            )
        made = _Level(definition, f"{node.id}:", level.depth + 1, mode)
        named = [str(port.get("name")) for port in _dicts(raw.get("inputs"))]
        for port in _dicts(definition.get("inputs")):
            name = str(port.get("name"))
            source = node.links.get(name) if name in named else None
            if source is None and name in node.values:
                source = self._constant(node, name)
            made.inputs.append(source)
        return made

    def _constant(self, node: ComfyNode, name: str) -> Source:
        """A node that gives a value, for what stands on a subgraph's node."""
        made = ComfyNode(f"{node.id}:={name}", "PrimitiveNode", {"value": node.values[name]})
        made.outputs = [(name, "COMBO")]  # a value that goes where it is used
        self.graph.nodes[made.id] = made
        return Source(made.id, 0)


def _definitions(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Subgraphs by the type that their nodes have; of those in subgraphs, too."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [raw]
    while waiting:
        parts = waiting.pop().get("definitions")
        for each in _dicts(parts.get("subgraphs")) if type(parts) is dict else ():
            if type(each.get("id")) is str and each["id"] not in found:
                found[each["id"]] = each
                waiting.append(each)
    return found


def _is_node(raw: Any) -> bool:
    return type(raw) is dict and type(raw.get("type")) is str and type(raw.get("id")) in (int, str)


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [each for each in raw if type(each) is dict] if type(raw) is list else []


_Links = dict[str, tuple[Source, Source]]


def _links(raw: dict[str, Any]) -> _Links:
    """Links by their number: where each starts, and the node and slot where it ends."""
    found: _Links = {}
    links = raw.get("links")
    for link in links if type(links) is list else ():
        if type(link) is dict:
            names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
            link = [link.get(name) for name in names]
        if type(link) is not list or len(link) < 5:
            continue
        number, start, slot, end, place = link[:5]
        named = all(type(each) in (int, str) for each in (number, start, end))
        if named and type(slot) is int and 0 <= slot < MOST_SLOTS:
            found[str(number)] = (
                Source(str(start), slot),
                Source(str(end), place if type(place) is int else 0),
            )
    return found


def _node(raw: dict[str, Any], level: _Level, links: _Links) -> ComfyNode:
    # "ConditioningAverage " was spelled with a space at its end for years
    node = ComfyNode(f"{level.prefix}{raw['id']}", raw["type"].strip(), from_ui=True)
    given = raw.get("mode")
    node.mode = _MODES.get(given, Mode.ACTIVE) if type(given) is int else Mode.ACTIVE
    if level.mode is not Mode.ACTIVE:
        node.mode = level.mode
    node.title = raw["title"] if type(raw.get("title")) is str else ""
    node.rect = _rect(raw.get("pos"), raw.get("size"))
    node.outputs = [
        (_text(each, "name"), _text(each, "type")) for each in _dicts(raw.get("outputs"))
    ]
    node.colour = _colour(_text(raw, "color"))
    flags = raw.get("flags")
    node.collapsed = type(flags) is dict and flags.get("collapsed") is True
    held = raw.get("widgets_values")
    named = raw.get("widgets_values_named")
    if type(named) is dict:  # what the front end calls them, whatever their order
        node.values = {name: value for name, value in named.items() if type(name) is str}
    elif type(held) is dict:
        node.values = dict(held)
    elif type(held) is list:
        node.unnamed_values = held
    for slot, port in enumerate(_dicts(raw.get("inputs"))):
        name, number = _text(port, "name") or f"input_{slot}", port.get("link")
        node.input_types[name] = _text(port, "type")
        if type(number) in (int, str) and str(number) in links:
            source = _from_inside(links[str(number)][0], level)
            if source is not None:
                node.links[name] = source
    _name_values(node, raw)
    return node


def _name_subgraph_values(node: ComfyNode, definition: dict[str, Any]) -> None:
    """Name the values of a subgraph's node.

    The front end lists only linked and renamed widgets among the node's inputs, but the values of
    all: their names are the definition's inputs that lead to a widget, in order.
    """
    if not node.unnamed_values:
        return
    widgets = _widget_slots(definition)
    names = [
        str(port.get("name"))
        for slot, port in enumerate(_dicts(definition.get("inputs")))
        if slot in widgets
    ]
    node.values = {}
    rest = node.unnamed_values[::-1]
    for name in names:
        if not rest:
            break
        node.values[name] = rest.pop()
        if rest and name in SEEDS and control_word(rest[-1]):
            rest.pop()


def _widget_slots(definition: dict[str, Any]) -> set[int]:
    """The inputs of a subgraph that lead to a widget inside."""
    widgets = {
        (str(raw["id"]), slot)
        for raw in _dicts(definition.get("nodes"))
        if _is_node(raw)
        for slot, port in enumerate(_dicts(raw.get("inputs")))
        if type(port.get("widget")) is dict
    }
    links = _links(definition).values()
    return {s.slot for s, end in links if s.node == _INSIDE and (end.node, end.slot) in widgets}


def _name_values(node: ComfyNode, raw: dict[str, Any]) -> None:
    """Give values their names where the file lists all widgets among the inputs.

    What a seed does after a run has no input; values that are left in the end keep their number.
    """
    names = [
        str(port["widget"].get("name"))
        for port in _dicts(raw.get("inputs"))
        if type(port.get("widget")) is dict
    ]
    if not names or len(names) > len(node.unnamed_values):
        return
    rest = list(enumerate(node.unnamed_values))[::-1]
    for name in names:
        if not rest:
            return
        node.values[name] = rest.pop()[1]
        if name in SEEDS and rest and (word := control_word(rest[-1][1])):
            node.values["control_after_generate"] = word
            rest.pop()
    node.values |= {f"value_{index}": value for index, value in rest[::-1]}


def _from_inside(source: Source, level: _Level) -> Source | None:
    """Where a link starts; one that starts at a subgraph's input goes on outside."""
    if source.node == _INSIDE and level.prefix:
        return level.inputs[source.slot] if 0 <= source.slot < len(level.inputs) else None
    return Source(level.prefix + source.node, source.slot)


def _text(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    return value if type(value) is str else ""


def _colour(text: str) -> str:
    """``#rrggbb`` of that or of ``#rgb``; empty for anything else."""
    if _is_short_colour(text):
        return "#" + "".join(digit * 2 for digit in text[1:])
    return text if _is_colour(text) else ""


def _frames(level: _Level) -> Iterator[Group]:
    for group in _dicts(level.raw.get("groups")):
        box = group.get("bounding")
        if type(box) is list and len(box) == 4:
            rect = _rect(box[:2], box[2:])
            if rect:
                name = level.prefix.rstrip(":")
                yield Group(_text(group, "title"), rect, _colour(_text(group, "color")), name)


def _rect(place: Any, size: Any) -> Rect | None:
    x, y = _pair(place) or (None, None)
    if x is None or y is None:
        return None
    width, height = _pair(size) or (210.0, 80.0)
    return (x, y, max(width, 20.0), max(height, 20.0))


def _pair(raw: Any) -> tuple[float, float] | None:
    """Two numbers, which older files write as an object with the keys 0 and 1."""
    if type(raw) is dict:
        raw = [raw.get("0"), raw.get("1")]
    if type(raw) is not list or len(raw) < 2:
        return None
    if any(type(number) not in (int, float) or abs(number) > 1e7 for number in raw[:2]):
        return None
    return float(raw[0]), float(raw[1])
