"""Loads the settings (values) of another workflow into an open one."""

from __future__ import annotations

from collections import defaultdict

from nodeforge.graph.document import Document
from nodeforge.graph.edits import ABSENT, GraphEdit, SetValue, Together
from nodeforge.graph.inline import inline
from nodeforge.graph.model import Node
from nodeforge.spec import Catalogue, FileWidget

_NOISE = "sampling.noise"


def settings_edit(
    other: Document, into: Document, catalogue: Catalogue, item: int | None = None
) -> Together | None:
    """The edit that copies values from matching nodes of `other` to `into`; None if there are none.

    Nodes match by type and path, or if each is the only one of its type. Asset files are not
    copied.

    Args:
        other: The workflow to copy from.
        into: The workflow to change.
        catalogue: Declares the ports.
        item: The picture of a batch that is drawn at once whose settings these are: the noise
            makes it alone.
    """
    theirs, ours = inline(other.graph).nodes, inline(into.graph).nodes
    edits: list[GraphEdit] = []
    for path, like in _pairs(ours, theirs).items():
        spec, node = catalogue.get(ours[path].type), ours[path]
        files = {p.name for p in spec.inputs if isinstance(p.widget, FileWidget)} if spec else ()
        values = dict(like.values)
        if item is not None and like.type == _NOISE:
            values["item"] = item
        for port in sorted({*node.values, *values}.difference(files)):
            value = values.get(port, ABSENT)
            if value != node.values.get(port, ABSENT):
                edits.append(SetValue(path, port, value))
    return Together("load settings", edits) if edits else None


def _pairs(ours: dict[str, Node], theirs: dict[str, Node]) -> dict[str, Node]:
    pairs = {
        p: theirs[p] for p, node in ours.items() if p in theirs and theirs[p].type == node.type
    }
    left: dict[str, list[str]] = defaultdict(list)
    for path in theirs:
        if path not in pairs:
            left[theirs[path].type].append(path)
    open_: dict[str, list[str]] = defaultdict(list)
    for path in ours:
        if path not in pairs:
            open_[ours[path].type].append(path)
    for node_type, paths in open_.items():
        if len(paths) == 1 and len(left[node_type]) == 1:
            pairs[paths[0]] = theirs[left[node_type][0]]
    return pairs
