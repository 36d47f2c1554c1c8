"""The UI form, which ComfyUI's front end saves: nodes with positions, numbered links, subgraphs.

Subgraphs are flattened: a node inside one has the id ``12:3``, as in the API form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.comfyui.comfy_graph import (
    SEEDS,
    ComfyGraph,
    ComfyNode,
    Group,
    ModelFile,
    Source,
    SubgraphNode,
    control_word,
    subgraph_of,
)
from nodeforge.formats.comfyui.group_nodes import as_subgraph
from nodeforge.formats.comfyui.ui_json import (
    Links,
    colour_of,
    dicts,
    is_node,
    links_of,
    rect_of,
    text_at,
)
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.graph_json import MAX_NESTING
from nodeforge.graph.model import Mode

MOST_SUBGRAPHS = 250
"""Uses of subgraphs, each of which may hold others."""

_MODES = {2: Mode.MUTE, 4: Mode.BYPASS}
_INSIDE, _OUTSIDE = "-10", "-20"
"""What links inside a subgraph call its inputs, and its outputs."""
_OPTIONAL = 7
"""The shape of an input that need not be linked."""


def is_ui_form(raw: dict[str, Any]) -> bool:
    """Whether `raw` is a list of nodes with types."""
    nodes = raw.get("nodes")
    return type(nodes) is list and (
        any(is_node(node) for node in nodes)
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
    bypassed: bool = False
    """The subgraph's node is bypassed, so its outputs show what its inputs are fed."""
    inactive: bool = False
    """It is bypassed, or in one that is."""
    inputs: list[Source | None] = field(default_factory=list)
    """What feeds each input of the subgraph."""


class _Reader:
    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.graph = ComfyGraph()
        self.definitions = _definitions(raw)
        self.aliases: dict[Source, Source | None] = {}
        """Outputs of subgraphs' nodes to what they show; None where nothing is passed on."""

    def read(self) -> ComfyGraph:
        waiting = [_Level(self.raw)]
        while waiting:
            level = waiting.pop(0)
            waiting += self._level(level)
        self._link_set_and_get()
        for node in self.graph.nodes.values():
            ends = {name: self._end(source) for name, source in node.links.items()}
            node.unfed = [name for name, end in ends.items() if end is None]
            node.links = {name: end for name, end in ends.items() if end is not None}
        for box in self.graph.subgraphs.values():
            ends = [self._end(source) for source in box.outputs]
            box.outputs = [end for end in ends if end is not None]
        self.graph.drop_broken_links()
        return self.graph

    def _link_set_and_get(self) -> None:
        """Link what the front end of the pack KJNodes joins by name: *Set* to *Get*."""
        names = {
            (subgraph_of(node.id), _name_of(node)): node.id
            for node in self.graph.nodes.values()
            if node.class_type == "SetNode"
        }
        for node in self.graph.nodes.values():
            if node.class_type != "GetNode" or node.links:
                continue
            if source := names.get((subgraph_of(node.id), _name_of(node))):
                node.links["value"] = Source(source, 0)
            else:
                self.graph.problems.append(f"{node.label}: no node sets '{_name_of(node)}'.")

    def _end(self, source: Source | None) -> Source | None:
        for _ in range(2 * MAX_NESTING):
            if source is None or source not in self.aliases:
                break
            source = self.aliases[source]
        return source

    def _level(self, level: _Level) -> Iterator[_Level]:
        links = links_of(level.raw)
        for raw in dicts(level.raw.get("nodes")):
            if not is_node(raw):
                self.graph.problems.append("An entry among the nodes is no node; it was left out.")
                continue
            group = as_subgraph(raw, self.raw)
            if group is not None:
                raw = group.use
                self.graph.problems += group.problems
            node = _node(raw, level, links, self.graph.problems)
            definition = group.definition if group else self.definitions.get(node.class_type)
            if definition is not None and level.depth < MAX_NESTING:
                if type(raw.get("widgets_values_named")) is not dict:
                    _name_subgraph_values(node, definition)
                yield self._inner(level, node, raw, definition)
                continue
            self.graph.add(node)
        self.graph.groups += _frames(level)
        self._show_outputs(level, links)

    def _show_outputs(self, level: _Level, links: Links) -> None:
        """Note what the outputs of the subgraph's node show."""
        name = level.prefix.rstrip(":")
        for start, end in links.values():
            if end.node == _OUTSIDE:
                shown = _from_inside(start, level)
                if level.bypassed and shown is not None:
                    self.graph.subgraphs[name].outputs.append(shown)
                elif shown is not None:
                    self.aliases[Source(name, end.slot)] = shown

    def _inner(
        self, level: _Level, node: ComfyNode, raw: dict[str, Any], definition: dict[str, Any]
    ) -> _Level:
        title = node.title or text_at(definition, "name")
        bypassed = node.mode is Mode.BYPASS
        box_mode = node.mode if bypassed else Mode.ACTIVE
        self.graph.subgraphs[node.id] = SubgraphNode(title, node.rect, box_mode)
        if len(self.graph.subgraphs) > MOST_SUBGRAPHS:
            raise TooLargeError(f"uses more than {MOST_SUBGRAPHS} subgraphs.")
        mode = Mode.MUTE if node.mode is Mode.MUTE else level.mode
        made = _Level(definition, f"{node.id}:", level.depth + 1, mode, bypassed)
        made.inactive = level.inactive or bypassed
        named = [str(port.get("name")) for port in dicts(raw.get("inputs"))]
        for port in dicts(definition.get("inputs")):
            name = str(port.get("name"))
            source = node.links.get(name) if name in named else None
            if source is None and node.values.get(name) is not None:
                source = self._constant(node, name)
            made.inputs.append(source)
        if bypassed:
            self._pass_through(node, definition, made.inputs)
        return made

    def _pass_through(
        self, node: ComfyNode, definition: dict[str, Any], inputs: list[Source | None]
    ) -> None:
        """Let the outputs of a bypassed subgraph show what feeds an input of their type.

        That is the input at the same place where it has the type, else the first one.
        """
        kinds = [text_at(port, "type") for port in dicts(definition.get("inputs"))]
        for slot, port in enumerate(dicts(definition.get("outputs"))):
            kind = text_at(port, "type")
            same = [place for place, given in enumerate(kinds) if given == kind]
            place = slot if slot in same else next(iter(same), None)
            self.aliases[Source(node.id, slot)] = None if place is None else inputs[place]

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
        for each in dicts(parts.get("subgraphs")) if type(parts) is dict else ():
            if type(each.get("id")) is str and each["id"] not in found:
                found[each["id"]] = each
                waiting.append(each)
    return found


def _node(raw: dict[str, Any], level: _Level, links: Links, problems: list[str]) -> ComfyNode:
    # "ConditioningAverage " was spelled with a space at its end for years
    node = ComfyNode(f"{level.prefix}{raw['id']}", raw["type"].strip(), from_ui=True)
    given = raw.get("mode")
    node.mode = _MODES.get(given, Mode.ACTIVE) if type(given) is int else Mode.ACTIVE
    if level.mode is not Mode.ACTIVE:
        node.mode = level.mode
    node.inactive = level.inactive
    node.title = text_at(raw, "title")
    node.rect = rect_of(raw.get("pos"), raw.get("size"))
    node.outputs = [
        (text_at(each, "name"), text_at(each, "type")) for each in dicts(raw.get("outputs"))
    ]
    node.colour = colour_of(text_at(raw, "color"))
    flags, properties = raw.get("flags"), raw.get("properties")
    node.collapsed = type(flags) is dict and flags.get("collapsed") is True
    node.models = _model_files(properties) if type(properties) is dict else []
    _read_values(node, raw)
    _read_inputs(node, raw, level, links, problems)
    _name_values(node, raw)
    return node


def _name_of(node: ComfyNode) -> str:
    """The name under which *Set* and *Get* find each other."""
    held = [*node.values.values(), *node.unnamed_values]
    return next((value[:100] for value in held if type(value) is str), "")


def _model_files(properties: dict[str, Any]) -> list[ModelFile]:
    """The addresses of model files that the node's author wrote into it."""
    found = []
    for each in dicts(properties.get("models")):
        made = ModelFile(*(text_at(each, part)[:1000] for part in ("name", "directory", "url")))
        if made.name and made.url:
            found.append(made)
    return found


def _read_values(node: ComfyNode, raw: dict[str, Any]) -> None:
    held, named = raw.get("widgets_values"), raw.get("widgets_values_named")
    if type(named) is dict:  # what the front end calls them, whatever their order
        node.values = dict(named)
    elif type(held) is dict:
        node.values = dict(held)
    elif type(held) is list:
        node.unnamed_values = held


def _read_inputs(
    node: ComfyNode, raw: dict[str, Any], level: _Level, links: Links, problems: list[str]
) -> None:
    ports = raw.get("inputs")
    if ports is not None and type(ports) is not list:
        problems.append(f"{node.label}: its 'inputs' are no list, and were left out.")
    for slot, port in enumerate(dicts(ports)):
        name, number = text_at(port, "name") or f"input_{slot}", port.get("link")
        node.input_types[name] = text_at(port, "type")
        if port.get("shape") == _OPTIONAL:
            node.optional.add(name)
        if number is None:
            continue
        if type(number) not in (int, str) or str(number) not in links:
            problems.append(
                f"{node.label}: its '{name}' has the link {str(number)[:20]}, which is not in the "
                "file; it was left out."
            )
            continue
        source = _from_inside(links[str(number)][0], level)
        if source is not None:
            node.links[name] = source


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
        for slot, port in enumerate(dicts(definition.get("inputs")))
        if slot in widgets
    ]
    node.values = {}
    rest = node.unnamed_values[::-1]
    words = len(rest) - len(names)  # what seeds do after a run has no name
    for name in names:
        if not rest:
            break
        node.values[name] = rest.pop()
        if words > 0 and rest and name in SEEDS and control_word(rest[-1]):
            rest.pop()
            words -= 1


def _widget_slots(definition: dict[str, Any]) -> set[int]:
    """The inputs of a subgraph that lead to a widget inside."""
    widgets = {
        (str(raw["id"]), slot)
        for raw in dicts(definition.get("nodes"))
        if is_node(raw)
        for slot, port in enumerate(dicts(raw.get("inputs")))
        if type(port.get("widget")) is dict
    }
    links = links_of(definition).values()
    return {s.slot for s, end in links if s.node == _INSIDE and (end.node, end.slot) in widgets}


def _name_values(node: ComfyNode, raw: dict[str, Any]) -> None:
    """Give values their names where the file lists all widgets among the inputs.

    What a seed does after a run has no input; values that are left in the end keep their number.
    """
    names = [
        str(port["widget"].get("name"))
        for port in dicts(raw.get("inputs"))
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


def _frames(level: _Level) -> Iterator[Group]:
    for group in dicts(level.raw.get("groups")):
        box = group.get("bounding")
        if type(box) is list and len(box) == 4:
            rect = rect_of(box[:2], box[2:])
            if rect:
                name = level.prefix.rstrip(":")
                yield Group(text_at(group, "title"), rect, colour_of(text_at(group, "color")), name)
