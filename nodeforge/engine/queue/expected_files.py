"""What a workflow will save, as far as that can be told before it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeforge.engine.context import stamp_of
from nodeforge.engine.plan import default_targets
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.flatten import FlatGraph, FlatNode, flatten
from nodeforge.graph.model import Graph, Input
from nodeforge.graph.planned import expand_shipped
from nodeforge.graph.planned.evaluate import Resolve
from nodeforge.spec import Catalogue

_SAVE, _NOISE = "image.save", "sampling.noise"
_SOURCES = {
    _SAVE: "image",
    "latent.decode": "latent",
    "sampling.denoise": "noise",
    "sampling.estimate": "noise",
}
"""Nodes that make as many pictures as comes in at one of their ports."""
_SIZES = ("{width}", "{height}")


@dataclass(frozen=True)
class ExpectedFiles:
    """What one node will save.

    Args:
        count: How many files; None where only a run can tell.
        names: One for each, relative to the output folder and numbered 00001; none where a part
            of them is known only when they are there.
    """

    count: int | None
    names: tuple[Path, ...] = ()


def expected_files(
    graph: Graph,
    catalogue: Catalogue,
    targets: Sequence[str],
    stamp: Mapping[str, str],
    resolve: Resolve | None = None,
) -> dict[str, ExpectedFiles]:
    """What each node will save; empty where more is wanted of a run than files.

    Behind a list each copy of a node is one.

    Args:
        graph: The workflow.
        catalogue: Declares its nodes.
        targets: As `RunRequest` has them.
        stamp: The texts of saved pictures, of which names may tell.
        resolve: Finds files, for values that stand in some.
    """
    flat = flatten(graph, catalogue)
    wanted = list(targets) or default_targets(flat)
    nodes = {path: flat.nodes[path] for path in wanted if path in flat.nodes}
    saving = {path: node for path, node in nodes.items() if node.spec and node.spec.effects}
    if not saving or (targets and len(saving) < len(wanted)):
        return {}
    try:
        expanded = expand_shipped(flat, catalogue, saving, resolve)
    except RequestError:
        return {}  # the run says so
    copies = expanded.graph.nodes
    return {
        copy: _expected(expanded.graph, copy, copies[copy], stamp_of(stamp, copy))
        for copy in expanded.ids(saving)
    }


def _expected(
    flat: FlatGraph, path: str, node: FlatNode, stamp: Mapping[str, str]
) -> ExpectedFiles:
    count = _pictures(flat, path)
    linked = {end.port for end in flat.links if end.node == path}
    prefix, kind = (_value(node, name) for name in ("prefix", "format"))
    if count is None or linked & {"prefix", "format"} or any(size in prefix for size in _SIZES):
        return ExpectedFiles(count)
    from nodeforge.imaging import PictureFormat, output_name, output_place  # it brings numpy

    try:
        names = [output_name(prefix, stamp.get("parameters", ""), (0, 0), n) for n in range(count)]
        places = [output_place(Path(), name) for name in names]
        suffix = PictureFormat(kind).suffix
    except (NodeForgeError, ValueError):  # it fails as it runs, and says so there
        return ExpectedFiles(count)
    return ExpectedFiles(count, tuple(folder / f"{stem}_00001{suffix}" for folder, stem in places))


def _pictures(flat: FlatGraph, path: str) -> int | None:
    """How many pictures a node gets; None where a node on the way may change that."""
    seen: set[str] = set()
    while (node := flat.nodes[path]).type in _SOURCES and path not in seen:
        seen.add(path)
        source = flat.links.get(Input(path, _SOURCES[node.type]))
        if source is None or (Input(path, "latent") in flat.links and _starts(node)):
            return None
        path = source.node
    if node.type != _NOISE or {Input(path, "batch"), Input(path, "item")} & flat.links.keys():
        return None
    batch = 1 if _value(node, "item") is not None else _value(node, "batch")
    return batch if isinstance(batch, int) else None


def _starts(node: FlatNode) -> bool:
    """Whether a latent is what a loop starts from, and may be a batch of its own."""
    return _SOURCES[node.type] == "noise"


def _value(node: FlatNode, name: str) -> Any:
    declared = node.spec.input.get(name) if node.spec else None
    return node.values.get(name, declared.default if declared else None)
