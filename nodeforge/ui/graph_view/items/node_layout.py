"""Layout of a node: positions and texts of title, ports, parameters, thumbnail and message.

Distances are multiples of 4; rows are 20 high; ports lie on the left and right edges.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from nodeforge.graph.model import Input, Mode, Node, Subgraph
from nodeforge.graph.ports import (
    input_names,
    input_spec,
    input_value,
    output_names,
    output_spec,
    picture_port,
    port_label,
    title_of,
)
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
    unset_text,
)
from nodeforge.ui.common.number_text import format_number
from nodeforge.values.setting_names import AUTO

WIDTH = 220
TITLE = 28
ROW = 20
PAD = 8
LINES = 3
"""Number of lines shown of a multiline text."""
THUMB = 160
PICTURE = THUMB + 8
"""Height that a thumbnail takes with its margins, if it is not resized."""
STRIP = 20
REROUTE = (48, 24)


@dataclass(slots=True)
class PortLayout:
    """Layout of a port; `y` is its centre, `known` is false if no pack declares it."""

    name: str
    type: str
    is_input: bool
    y: float
    many: bool = False
    optional: bool = False
    known: bool = True
    linked: bool = False
    doc: str = ""
    auto: str = ""
    """What stands for a link that is left to the model."""
    label: str = ""


@dataclass(slots=True)
class ParameterRow:
    """Layout of a parameter: name and value, with multiline text below the name."""

    port: str
    spec: PortSpec
    value: Any
    linked: bool
    y: float
    height: float
    label: str
    auto: str = ""
    """What stands for a value that is left to the model."""

    @property
    def long(self) -> bool:
        return self.height > ROW

    @property
    def text(self) -> str:
        if self.linked:
            return "linked"
        text = format_value(self.value, self.spec)
        return f"auto: {self.auto}" if self.auto and text.lower() == AUTO else text


@dataclass
class NodeLayout:
    """Layout of a node, in scene units from its top left corner."""

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
    broadcasts: bool = False
    collapsed: bool = False
    ports: list[PortLayout] = field(default_factory=list)
    rows: list[ParameterRow] = field(default_factory=list)
    thumb: tuple[float, float, float, float] | None = None
    strip: float | None = None
    """The top of the message strip."""
    room: float = 0.0
    """The height to keep free for it: that with a picture, also while it shows none."""

    def row_at(self, y: float) -> ParameterRow | None:
        return next((row for row in self.rows if row.y <= y < row.y + row.height), None)


@dataclass(slots=True)
class DisplayState:
    """What the layout needs besides the node: collapsed state, links, thumbnail, message."""

    collapsed: bool = False
    broadcasts: bool = False
    linked: Collection[Input] = ()
    linked_outputs: Collection[str] = ()
    thumb: float | None = None
    """Aspect ratio (height / width) of the thumbnail."""
    thumb_height: float | None = None
    message: bool = False
    auto: Mapping[str, str] = field(default_factory=dict)
    """What stands for values that are left to the model, by port."""


def layout_node(name: str, node: Node, catalogue: Catalogue, display: DisplayState) -> NodeLayout:
    """Compute the layout of a node whose id is `name`."""
    spec = catalogue.get(node.type)
    is_group = isinstance(node, Subgraph)
    layout = NodeLayout(
        title=title_of(node, name, catalogue),
        category="subgraph" if is_group else node.type.partition(".")[0],
        type=node.type,
        summary=spec.summary if spec else "",
        role=spec.role if spec else Role.COMPUTE,
        mode=node.mode,
        pin=node.pin,
        missing=spec is None and not is_group,
        is_group=is_group,
        broadcasts=display.broadcasts,
        collapsed=display.collapsed,
    )
    inputs = _ports(node, catalogue, {end.port for end in display.linked}, is_input=True)
    outputs = _ports(node, catalogue, display.linked_outputs, is_input=False)
    if layout.role is Role.REROUTE:
        layout.width, layout.height = REROUTE
        _fold(layout, inputs + outputs)
    elif layout.collapsed:
        _fold(layout, inputs + outputs)
    else:
        _stack(layout, node, catalogue, inputs, outputs, display)
    layout.room = max(layout.room, layout.height)
    return layout


def _ports(
    node: Node, catalogue: Catalogue, linked: Collection[str], *, is_input: bool
) -> list[PortLayout]:
    """Declared ports, then linked ports that no pack declares."""
    names, declared = (input_names, input_spec) if is_input else (output_names, output_spec)
    known = dict.fromkeys(names(node, catalogue))
    extra = sorted(set(linked) - known.keys())
    ports = [_port(name, declared(node, name, catalogue), is_input) for name in [*known, *extra]]
    for port in ports:
        port.linked = port.name in linked
        port.label = port_label(node, port.name) if is_input else port.name.replace("_", " ")
    return ports


def _port(name: str, spec: PortSpec | None, is_input: bool) -> PortLayout:
    if spec is None:
        return PortLayout(name, ANY, is_input, 0, known=False)
    optional = is_input and not spec.required
    return PortLayout(name, spec.type, is_input, 0, spec.many, optional, doc=spec.doc)


def _fold(layout: NodeLayout, ports: list[PortLayout]) -> None:
    """Place all ports at the title bar."""
    for port in ports:
        port.y = min(layout.height, TITLE) / 2
    layout.ports = ports


def _stack(
    layout: NodeLayout,
    node: Node,
    catalogue: Catalogue,
    inputs: list[PortLayout],
    outputs: list[PortLayout],
    display: DisplayState,
) -> None:
    top = TITLE + 4.0
    plugs, params = [], []
    for port in inputs:
        spec = input_spec(node, port.name, catalogue)
        (plugs if spec is None or spec.widget is None else params).append((port, spec))
    for index, (port, _) in enumerate(plugs):
        port.y = top + index * ROW + ROW / 2
        port.auto = "" if port.linked else display.auto.get(port.name, "")
    for index, port in enumerate(outputs):
        port.y = top + index * ROW + ROW / 2
    top += max(len(plugs), len(outputs)) * ROW
    for port, spec in params:
        row = ParameterRow(
            port.name,
            spec,
            input_value(node, port.name, catalogue),
            port.linked,
            top,
            _height(spec, port.linked),
            port.label,
            display.auto.get(port.name, ""),
        )
        port.y = top + ROW / 2
        layout.rows.append(row)
        top += row.height
    layout.ports = inputs + outputs
    if layout.missing:
        top += ROW
    picture = PICTURE if picture_port(node, catalogue) else 0
    layout.room = top + picture + 8
    top = _place_thumb(layout, display, top + 4)
    if display.message:
        layout.strip = top + 4
        top += STRIP + 4
    layout.height = top + 4


def _height(spec: PortSpec, linked: bool) -> float:
    if isinstance(spec.widget, TextWidget) and spec.widget.multiline and not linked:
        return ROW + LINES * 16 + 4
    return ROW


def _place_thumb(layout: NodeLayout, display: DisplayState, top: float) -> float:
    if display.thumb is None:
        return top
    room = layout.width - 2 * PAD
    height = min(room * display.thumb, display.thumb_height or THUMB)
    width = height / display.thumb if display.thumb else room
    if width > room:
        width, height = room, room * display.thumb
    layout.thumb = ((layout.width - width) / 2, top + 4, width, height)
    return top + 4 + round(height) + 4


def format_value(value: Any, spec: PortSpec) -> str:
    """Format a value for display in a node."""
    if value is None:
        return unset_text(spec.widget)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and spec.type == FLOAT:
        return format_number(value)
    if isinstance(spec.widget, ChoiceWidget):
        return spec.widget.label(str(value))
    if isinstance(spec.widget, FileWidget | ModelFileWidget) and isinstance(value, str):
        return value.replace("\\", "/").rpartition("/")[2]
    return str(value)
