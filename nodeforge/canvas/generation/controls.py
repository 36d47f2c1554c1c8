"""Adds control layers to a workflow: one *Canvas control* node for each that is set otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nodeforge.canvas.document.layer import ControlSettings
from nodeforge.canvas.generation.node_copies import copy_after, nodes_of_type
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph
from nodeforge.graph.paths import Names
from nodeforge.imaging import Bytes, Reading

CONTROL, LOADER = "canvas.control", "control.load"
_STRONGEST = 10.0
"""What the node takes at most."""


class ControlRangeError(RequestError):
    """A control layer that ends before it begins."""


@dataclass(frozen=True, eq=False)
class ControlPicture:
    """What the control layers of one setting show.

    Args:
        pixels: uint8, (height, width, 4) of the box, alpha not premultiplied.
        settings: How they steer.
        name: What the first of them is called.
    """

    pixels: Bytes
    settings: ControlSettings = field(default_factory=ControlSettings)
    name: str = "Control layer"


def add_controls(document: Document, controls: Sequence[tuple[ControlPicture, str]]) -> None:
    """Let each control picture steer, one after the other.

    The first takes the workflow's *Canvas control*, each other one a copy of it that follows.
    Those that name a ControlNet share one *Load ControlNet* for each; others have the workflow's.
    What the workflow's node says holds for all: strengths are multiplied, a layer acts in the
    steps that both name, and a layer's own reading counts unless it is ``auto``.

    Args:
        document: Changed in place. It has such a node.
        controls: Picture, and value of its file, of each.

    Raises:
        ControlRangeError: a layer ends before it begins.
    """
    for graph, first in list(nodes_of_type(document.graph, CONTROL)):
        own, name = graph.nodes[first].values.copy(), first
        nodes: list[str] = []
        for number, (control, file) in enumerate(controls):
            name = copy_after(graph, name) if number else name
            _set(graph.nodes[name], own, control, file)
            nodes.append(name)
        _load_controlnets(graph, dict(zip(nodes, (each for each, _ in controls), strict=True)))


def _load_controlnets(graph: Graph, controls: Mapping[str, ControlPicture]) -> None:
    """Link each node to the ControlNet that its layer names; one loader for each file."""
    loaders = {
        str(node.values.get("file", "")): name
        for name, node in graph.nodes.items()
        if not isinstance(node, Subgraph) and node.type == LOADER
    }
    for name, control in controls.items():
        file = control.settings.controlnet
        if not file:
            continue
        if file not in loaders:
            loaders[file] = Names(graph.nodes)("controlnet")
            graph.nodes[loaders[file]] = Node(LOADER, {"file": file})
        graph.links[Input(name, "controlnet")] = Output(loaders[file], "controlnet")


def _set(node: Node, own: dict[str, object], control: ControlPicture, file: str) -> None:
    whole = ControlSettings()
    start, end, strength = (
        float(own.get(key, getattr(whole, key)))  # pyright: ignore[reportArgumentType]
        for key in ("start", "end", "strength")
    )
    mine = replace(
        control.settings,
        start=max(start, control.settings.start),
        end=min(end, control.settings.end),
    )
    if mine.start >= mine.end:
        raise ControlRangeError(
            f"would steer from {mine.start:.0%} to {mine.end:.0%} of the steps.",
            place=control.name,
            way_out="Let it start before it ends.",
        )
    node.values |= {
        "file": file,
        "strength": min(strength * mine.strength, _STRONGEST),
        "start": mine.start,
        "end": mine.end,
    }
    if mine.reading is not Reading.AUTO:
        node.values["reading"] = mine.reading.value
    elif "reading" in own:
        node.values["reading"] = own["reading"]
    else:
        node.values.pop("reading", None)
