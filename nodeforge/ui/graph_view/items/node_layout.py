"""Where everything on a node is, and what it says: computed when the node changes, then painted.

Distances are multiples of 4; rows are 20 high; ports lie on the left and right edges.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from nodeforge.graph.model import Input, Mode, Node, Subgraph
from nodeforge.graph.ports import input_names, input_spec, output_names, output_spec, title_of
from nodeforge.spec import (
    ANY,
    FLOAT,
    Catalogue,
    ChoiceWidget,
    FileWidget,
    ModelFileWidget,
    PortSpec,
    Role,
    TextWidget,
)

WIDTH = 220
TITLE = 28
ROW = 20
PAD = 8
LINES = 3
"""Lines of a long text that a node shows."""
THUMB = 160
STRIP = 20
REROUTE = (48, 24)


@dataclass(slots=True)
class PortFace:
    """A port as it is painted; `y` is its centre. `known` is false where no pack declares it."""

    name: str
    type: str
    is_input: bool
    y: float
    many: bool = False
    optional: bool = False
    known: bool = True
    linked: bool = False
    doc: str = ""

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")


@dataclass(slots=True)
class Row:
    """A parameter: a dim name, the value right-aligned, or below it where it is a long text."""

    port: str
    spec: PortSpec
    value: Any
    linked: bool
    y: float
    height: float

    @property
    def label(self) -> str:
        return self.port.replace("_", " ")

    @property
    def long(self) -> bool:
        return self.height > ROW

    @property
    def text(self) -> str:
        return "linked" if self.linked else spell(self.value, self.spec)


@dataclass
class Face:
    """A node's looks: sizes in scene units, from its upper left corner."""

    title: str
    category: str
    type: str
    summary: str = ""
    width: float = WIDTH
    height: float = TITLE
    role: Role = Role.COMPUTE
    mode: Mode = Mode.ACTIVE
    pin: bool = False
    missing: bool = False
    is_group: bool = False
    collapsed: bool = False
    ports: list[PortFace] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    thumb: tuple[float, float, float, float] | None = None
    strip: float | None = None
    """The upper edge of the message at the bottom."""

    def row_at(self, y: float) -> Row | None:
        return next((row for row in self.rows if row.y <= y < row.y + row.height), None)


@dataclass(slots=True)
class Looks:
    """What of a node's looks is not in the node itself."""

    collapsed: bool = False
    linked: Collection[Input] = ()
    linked_outputs: Collection[str] = ()
    thumb: float | None = None
    """Height over width of its picture."""
    thumb_height: float | None = None
    message: bool = False


def face_of(name: str, node: Node, catalogue: Catalogue, looks: Looks) -> Face:
    """The looks of `node`, whose id is `name`."""
    spec = catalogue.get(node.type)
    is_group = isinstance(node, Subgraph)
    face = Face(
        title=title_of(node, name, catalogue),
        category="subgraph" if is_group else node.type.partition(".")[0],
        type=node.type,
        summary=spec.summary if spec else "",
        role=spec.role if spec else Role.COMPUTE,
        mode=node.mode,
        pin=node.pin,
        missing=spec is None and not is_group,
        is_group=is_group,
        collapsed=looks.collapsed,
    )
    inputs = _ports(node, catalogue, {end.port for end in looks.linked}, is_input=True)
    outputs = _ports(node, catalogue, looks.linked_outputs, is_input=False)
    if face.role is Role.REROUTE:
        face.width, face.height = REROUTE
        _fold(face, inputs + outputs)
    elif face.collapsed:
        _fold(face, inputs + outputs)
    else:
        _stack(face, node, catalogue, inputs, outputs, looks)
    return face


def _ports(
    node: Node, catalogue: Catalogue, linked: Collection[str], *, is_input: bool
) -> list[PortFace]:
    """Those declared, then those that are linked and that no pack declares."""
    names, declared = (input_names, input_spec) if is_input else (output_names, output_spec)
    known = dict.fromkeys(names(node, catalogue))
    extra = sorted(set(linked) - known.keys())
    ports = [_port(name, declared(node, name, catalogue), is_input) for name in [*known, *extra]]
    for port in ports:
        port.linked = port.name in linked
    return ports


def _port(name: str, spec: PortSpec | None, is_input: bool) -> PortFace:
    if spec is None:
        return PortFace(name, ANY, is_input, 0, known=False)
    optional = is_input and not spec.required
    return PortFace(name, spec.type, is_input, 0, spec.many, optional, doc=spec.doc)


def _fold(face: Face, ports: list[PortFace]) -> None:
    """All ports at the height of the title."""
    for port in ports:
        port.y = min(face.height, TITLE) / 2
    face.ports = ports


def _stack(
    face: Face,
    node: Node,
    catalogue: Catalogue,
    inputs: list[PortFace],
    outputs: list[PortFace],
    looks: Looks,
) -> None:
    top = TITLE + 4.0
    plugs, params = [], []
    for port in inputs:
        spec = input_spec(node, port.name, catalogue)
        (plugs if spec is None or spec.widget is None else params).append((port, spec))
    for index, (port, _) in enumerate(plugs):
        port.y = top + index * ROW + ROW / 2
    for index, port in enumerate(outputs):
        port.y = top + index * ROW + ROW / 2
    top += max(len(plugs), len(outputs)) * ROW
    for port, spec in params:
        row = Row(
            port.name,
            spec,
            _value(node, port.name, spec),
            port.linked,
            top,
            _height(spec, port.linked),
        )
        port.y = top + ROW / 2
        face.rows.append(row)
        top += row.height
    face.ports = inputs + outputs
    if face.missing:
        top += ROW
    top = _place_thumb(face, looks, top + 4)
    if looks.message:
        face.strip = top + 4
        top += STRIP + 4
    face.height = top + 4


def _height(spec: PortSpec, linked: bool) -> float:
    if isinstance(spec.widget, TextWidget) and spec.widget.multiline and not linked:
        return ROW + LINES * 16 + 4
    return ROW


def _place_thumb(face: Face, looks: Looks, top: float) -> float:
    if looks.thumb is None:
        return top
    room = face.width - 2 * PAD
    height = min(room * looks.thumb, looks.thumb_height or THUMB)
    width = height / looks.thumb if looks.thumb else room
    if width > room:
        width, height = room, room * looks.thumb
    face.thumb = ((face.width - width) / 2, top + 4, width, height)
    return top + 4 + round(height) + 4


def _value(node: Node, port: str, spec: PortSpec) -> Any:
    """What the input holds; of a subgraph's port, what the input holds that it stands for."""
    while port not in node.values and isinstance(node, Subgraph):
        target = node.inputs[port][0]
        node, port = node.graph.nodes[target.node], target.port
    return node.values.get(port, spec.default)


def spell(value: Any, spec: PortSpec) -> str:
    """A value as a node shows it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and spec.type == FLOAT:
        text = f"{value:.4g}"
        return text if set(text) & set(".en") else f"{text}.0"
    if isinstance(spec.widget, ChoiceWidget):
        return spec.widget.label(str(value))
    if isinstance(spec.widget, FileWidget | ModelFileWidget) and isinstance(value, str):
        return value.replace("\\", "/").rpartition("/")[2]
    return str(value)
