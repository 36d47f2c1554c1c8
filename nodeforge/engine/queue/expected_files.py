"""What a workflow will save, as far as that can be told before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeforge.engine.planning.plan import default_targets
from nodeforge.engine.running.context import stamp_of
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.flatten import FlatGraph, FlatNode, flatten
from nodeforge.graph.model import Graph, Input
from nodeforge.graph.planned import expand_shipped
from nodeforge.graph.planned.evaluate import Resolve
from nodeforge.spec import Catalogue, ChoiceWidget, Saves

_NOISE = "sampling.noise"
_LOOPS = frozenset({"sampling.denoise", "sampling.estimate"})
_PASSED_ON = {
    **dict.fromkeys(("image.preview", "image.enlarge", "latent.encode"), "image"),
    **dict.fromkeys(("image.adjust", "image.blur", "image.crop", "image.pad"), "image"),
    **dict.fromkeys(("image.resize", "image.scale_by"), "image"),
    **dict.fromkeys(("latent.decode", "latent.upscale", "latent.scale_by"), "latent"),
    **dict.fromkeys(("audio.preview", "audio.gain", "audio.fade", "audio.trim"), "audio"),
    **dict.fromkeys(("audio.resample", "latent.encode_audio"), "audio"),
    "latent.decode_audio": "latent",
}
"""Nodes that make as many pictures or sounds as come in at a port."""
_SINGLE = frozenset({"image.load", "canvas.image", "audio.load", "audio.silence"})
"""Nodes that make one picture or sound."""
_BATCHES = {"latent.empty": "batch", "latent.repeat": "times", "sampling.audio_noise": "batch"}
"""Nodes that make as many as an input says, of each that comes in."""
_FIRST = frozenset({"latent.empty", "sampling.audio_noise"})
"""Those into which none comes."""
_SIZES = ("{width}", "{height}")
_LONGEST = 200
"""Nodes that are followed back."""


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
    """By what the node declares that it saves."""
    saves = node.spec.saves if node.spec else None
    if saves is None:
        return ExpectedFiles(None)
    linked = {end.port for end in flat.links if end.node == path}
    suffix = saves.suffix(None if saves.format in linked else _value(node, saves.format))
    if suffix is None and _may_be_several(saves, node):
        return ExpectedFiles(None)
    count = _items(flat, path, saves.port) if saves.per_item else 1
    prefix = _value(node, saves.prefix)
    known = suffix is not None and saves.prefix not in linked and isinstance(prefix, str)
    if count is None or not known or any(size in prefix for size in _SIZES):
        return ExpectedFiles(count)
    from nodeforge.imaging import output_name, output_place  # it brings numpy

    try:
        names = [output_name(prefix, stamp.get("parameters", ""), (0, 0), n) for n in range(count)]
        places = [output_place(Path(), name) for name in names]
    except NodeForgeError:  # it fails as it runs, and says so there
        return ExpectedFiles(count)
    return ExpectedFiles(count, tuple(folder / f"{stem}_00001{suffix}" for folder, stem in places))


def _may_be_several(saves: Saves, node: FlatNode) -> bool:
    """Whether the node has a format whose number of files only a run can tell."""
    widget = node.spec.input[saves.format].widget if node.spec else None
    return not isinstance(widget, ChoiceWidget) or not saves.suffixes.keys() >= {*widget.options}


def _items(flat: FlatGraph, path: str, port: str) -> int | None:
    """How many pictures or sounds come in at a port."""
    source = flat.links.get(Input(path, port))
    return None if source is None else _pictures(flat, source.node)


def _pictures(flat: FlatGraph, path: str, above: frozenset[str] = frozenset()) -> int | None:
    """How many pictures a node makes, or saves; None where only a run can tell.

    Args:
        flat: The workflow.
        path: The node.
        above: Nodes that depend on it, so that a cycle or a chain without end ends.
    """
    node = flat.nodes[path]
    if path in above or len(above) > _LONGEST:
        return None

    def of(port: str) -> int | None:
        source = flat.links.get(Input(path, port))
        return None if source is None else _pictures(flat, source.node, above | {path})

    if node.type in _SINGLE:
        return 1
    if node.type == _NOISE:
        return 1 if _has_item(flat, path) else _number(flat, path, "batch")
    if node.type in _PASSED_ON:
        return of(_PASSED_ON[node.type])
    if node.type in _BATCHES:
        each = 1 if node.type in _FIRST else of("latent")
        times = _number(flat, path, _BATCHES[node.type])
        return None if each is None or times is None else each * times
    if node.type in _LOOPS:
        return _of_loop(flat, path, of)
    return None


def _of_loop(flat: FlatGraph, path: str, of: Callable[[str], int | None]) -> int | None:
    """Noise and latent are as many, or one of them is one, for all of the other."""
    linked = [port for port in ("noise", "latent") if Input(path, port) in flat.links]
    counts = [of(port) for port in linked]
    noise = flat.links.get(Input(path, "noise"))
    if noise is not None and flat.nodes[noise.node].type == _NOISE:
        if Input(noise.node, "item") in flat.links:
            return None
        if _has_item(flat, noise.node):  # that one alone, also of the latent
            return None if None in counts else 1
    known = [count for count in counts if count is not None]
    return max(known) if known and len(known) == len(counts) else None


def _has_item(flat: FlatGraph, path: str) -> bool:
    """Whether a *Noise* makes one picture of its batch alone."""
    return _value(flat.nodes[path], "item") is not None


def _number(flat: FlatGraph, path: str, port: str) -> int | None:
    if Input(path, port) in flat.links:
        return None
    value = _value(flat.nodes[path], port)
    return value if isinstance(value, int) else None


def _value(node: FlatNode, name: str) -> Any:
    declared = node.spec.input.get(name) if node.spec else None
    return node.values.get(name, declared.default if declared else None)
