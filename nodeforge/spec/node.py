"""One node type as data. Windows, linter and engine read this; only the worker holds the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from nodeforge.spec.saves import Saves
from nodeforge.spec.types import RECIPES_OF_NETWORKS
from nodeforge.spec.upgrade import Upgrade
from nodeforge.spec.widget import LimitedWidget, Widget, widget_from_json, widget_to_json


class Role(StrEnum):
    """What the planner does with a node."""

    COMPUTE = "compute"
    REROUTE = "reroute"  # replaced by what feeds it
    SWITCH = "switch"  # replaced by what feeds the chosen branch
    COLLECT = "collect"  # replaced by all values of the list that feeds it
    NOTE = "note"  # never planned


@dataclass(frozen=True)
class PortSpec:
    """One connection point.

    Args:
        name: How links and values name it.
        type: One of `nodeforge.spec.TYPES`.
        doc: A sentence for the tooltip.
        many: Of an input, a list port: links go to ``port[0]``, ``port[1]``, ... Of an output, a
            list: what it feeds is computed once for each of its values.
        optional: May stay unconnected without a value.
        default: The value where the workflow gives none; JSON, only with a widget.
        widget: How the value is entered; None is a port only.
    """

    name: str
    type: str
    doc: str = ""
    many: bool = False
    optional: bool = False
    default: Any = None
    widget: Widget | None = None

    @property
    def required(self) -> bool:
        """Whether a run needs a link here, or a value that the default does not give."""
        return not self.optional and (self.widget is None or self.default is None)


@dataclass(frozen=True)
class NodeSpec:
    """One node type.

    Args:
        type: Its id, ``latent.blend``.
        version: Raised when what comes out changes for the same input.
        title: What the window calls it.
        summary: One line.
        doc: The whole description.
        effects: It does something besides returning a value; never cached.
        shows: Its result is for a person to see; a run asks for it, as for effects.
        planned: It is computed while a run is planned, where its inputs are known then.
        extent: Inputs whose numbers, multiplied, are how large what is made of it is: the time
            and memory of all that work on that grow with them.
        steps: Inputs whose numbers, multiplied, are how often a loop that reads it steps.
        saves: The files that it writes; None where it writes none, or nobody can tell which.
        pack: The folder it comes from.
        source: Digest of the pack's source, empty for shipped packs; part of the keys.
        upgrades: By version, what brings values saved with it to the next version.
    """

    type: str
    version: int
    title: str
    summary: str
    doc: str
    inputs: tuple[PortSpec, ...]
    outputs: tuple[PortSpec, ...]
    effects: bool = False
    shows: bool = False
    role: Role = Role.COMPUTE
    planned: bool = False
    extent: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    saves: Saves | None = field(default=None, hash=False)
    pack: str = ""
    source: str = ""
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict, hash=False)

    @property
    def category(self) -> str:
        return self.type.split(".", 1)[0]

    @cached_property
    def input(self) -> dict[str, PortSpec]:
        """Input ports by name."""
        return {port.name: port for port in self.inputs}

    @cached_property
    def output(self) -> dict[str, PortSpec]:
        """Output ports by name."""
        return {port.name: port for port in self.outputs}

    @cached_property
    def limited(self) -> tuple[tuple[str, LimitedWidget], ...]:
        """Input ports of numbers and choices, with what they allow."""
        limited = ((port.name, port.widget) for port in self.inputs if not port.many)
        return tuple((name, w) for name, w in limited if isinstance(w, LimitedWidget))

    @property
    def holds_value(self) -> bool:
        """Whether it gives the value that stands in it, as a text node does."""
        return self.category == "values" and "value" in self.input

    @property
    def wanted(self) -> bool:
        """Whether a run of the whole workflow asks for this node."""
        return self.effects or self.shows

    @cached_property
    def takes_lists(self) -> bool:
        """Whether its list ports take all values of a list at once.

        Planned nodes that work on lists do; others are computed for each value.
        """
        gives_lists = any(port.many for port in self.outputs)
        return gives_lists or (self.planned and self.category == "lists")

    @property
    def replaced_by_planner(self) -> bool:
        """Whether it is replaced by values or other nodes while a run is planned."""
        return self.planned or self.role in (Role.SWITCH, Role.COLLECT)

    @cached_property
    def runs_network(self) -> bool:
        """Whether device and precision can change its result."""
        return any(port.type in RECIPES_OF_NETWORKS for port in self.inputs)

    def to_json(self) -> dict[str, Any]:
        raw: dict[str, Any] = {
            "type": self.type,
            "version": self.version,
            "title": self.title,
            "summary": self.summary,
            "doc": self.doc,
            "inputs": [_port_to_json(port) for port in self.inputs],
            "outputs": [_port_to_json(port) for port in self.outputs],
            "effects": self.effects,
            "shows": self.shows,
            "role": self.role.value,
            "pack": self.pack,
            "source": self.source,
        }
        if self.planned:
            raw["planned"] = True
        for name in ("extent", "steps"):
            if ports := getattr(self, name):
                raw[name] = list(ports)
        if self.saves is not None:
            raw["saves"] = self.saves.to_json()
        if self.upgrades:
            steps = self.upgrades.items()
            raw["upgrades"] = {str(version): step.to_json() for version, step in steps}
        return raw

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> NodeSpec:
        return cls(
            **{
                **raw,
                "inputs": tuple(_port_from_json(port) for port in raw["inputs"]),
                "outputs": tuple(_port_from_json(port) for port in raw["outputs"]),
                "role": Role(raw["role"]),
                "extent": tuple(raw.get("extent", ())),
                "steps": tuple(raw.get("steps", ())),
                "saves": Saves.from_json(raw["saves"]) if raw.get("saves") else None,
                "upgrades": {
                    int(version): Upgrade.from_json(step)
                    for version, step in raw.get("upgrades", {}).items()
                },
            }
        )


def _port_to_json(port: PortSpec) -> dict[str, Any]:
    raw: dict[str, Any] = {"name": port.name, "type": port.type, "doc": port.doc}
    if port.many:
        raw["many"] = True
    if port.optional:
        raw["optional"] = True
    if port.default is not None:
        raw["default"] = port.default
    if port.widget is not None:
        raw["widget"] = widget_to_json(port.widget)
    return raw


def _port_from_json(raw: dict[str, Any]) -> PortSpec:
    widget = raw.get("widget")
    return PortSpec(**{**raw, "widget": widget_from_json(widget) if widget else None})
