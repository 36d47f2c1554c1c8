"""Adds control layers to a workflow: one *Canvas control* node for each that is set otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nodeforge.canvas.document.layer import ControlSettings
from nodeforge.canvas.generation.node_copies import copy_after, nodes_of_type
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.imaging import Bytes, Reading

CONTROL = "canvas.control"
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
        for number, (control, file) in enumerate(controls):
            name = copy_after(graph, name) if number else name
            _set(graph.nodes[name], own, control, file)


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
