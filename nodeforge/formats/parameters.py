"""The summary of a run that A1111 writes into pictures and galleries read.

``prompt``, ``Negative prompt: ...``, then ``Steps: 20, Sampler: DPM++ 2M, ...`` on one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodeforge import __version__
from nodeforge.graph.flatten import FlatGraph, flatten
from nodeforge.graph.model import Graph, Input
from nodeforge.spec import Catalogue
from nodeforge.values.output_names import BATCH_POS, BATCH_SIZE, CONVENTION
from nodeforge.values.recipes import COMFYUI
from nodeforge.values.sampling_labels import CONVENTION_LABELS, SAMPLER_LABELS, SCHEDULE_LABELS

_DENOISE = "sampling.denoise"


def parameters(graph: Graph, catalogue: Catalogue) -> str:
    """The summary of the first pass that `graph` makes; empty where it denoises nothing."""
    flat = flatten(graph, catalogue)
    traced = _Trace(flat)
    loop = traced.first_pass()
    if loop is None:
        return ""
    prompt = traced.value(loop, "positive", "text") or ""
    negative = traced.value(loop, "negative", "text")
    lines = [str(prompt)]
    if negative:
        lines.append(f"Negative prompt: {negative}")
    facts = {name: value for name, value in _facts(traced, loop) if value is not None}
    lines.append(", ".join(f"{name}: {value}" for name, value in facts.items()))
    return "\n".join(lines)


def _facts(traced: _Trace, loop: str) -> Iterator[tuple[str, Any]]:
    def value(port: str, name: str) -> Any:
        return traced.value(loop, port, name)

    sampler, schedule = value("sampler", "name"), value("schedule", "name")
    width, height = value("noise", "width"), value("noise", "height")
    strength = value("schedule", "strength")
    yield "Steps", value("schedule", "steps")
    yield "Sampler", SAMPLER_LABELS.get(str(sampler), sampler)
    yield "Schedule type", SCHEDULE_LABELS.get(str(schedule), schedule)
    yield "CFG scale", value("guidance", "scale")
    yield "Seed", value("noise", "seed")
    batch, convention = value("noise", "batch"), value("sampler", "convention")
    yield BATCH_SIZE, None if batch == 1 else batch
    if convention == COMFYUI:
        yield BATCH_POS, value("noise", "item")
        yield CONVENTION, CONVENTION_LABELS[COMFYUI]
    yield "Size", f"{width}x{height}" if width and height else None
    yield "Model", value("model", "file")
    yield "Denoising strength", None if strength == 1 else strength
    yield "Version", f"NodeForge {__version__}"


class _Trace:
    """Follows links back to the nodes that settings were given in."""

    def __init__(self, flat: FlatGraph) -> None:
        self.flat = flat
        self.feeds: dict[str, list[str]] = {}
        for end, start in flat.links.items():
            self.feeds.setdefault(end.node, []).append(start.node)

    def first_pass(self) -> str | None:
        """The denoise loop that no other one feeds, of those that something saved needs."""
        effects = [path for path, n in self.flat.nodes.items() if n.spec and n.spec.effects]
        for start in effects or list(self.flat.nodes):
            loops = [path for path in self.upstream(start) if self._is_loop(path)]
            for loop in loops:
                if not any(self._is_loop(path) for path in self.upstream(loop) if path != loop):
                    return loop
        return None

    def upstream(self, path: str) -> list[str]:
        """`path` and what it depends on, nearest first."""
        found = dict.fromkeys([path])
        waiting = [path]
        for node in waiting:
            for source in self.feeds.get(node, ()):
                if source not in found:
                    found[source] = None
                    waiting.append(source)
        return waiting

    def value(self, loop: str, port: str, name: str) -> Any:
        """The value of input `name` in the nearest node that has one, behind `port`."""
        start = self.flat.links.get(Input(loop, port))
        for path in self.upstream(start.node) if start else ():
            node = self.flat.nodes[path]
            if node.spec is not None and name in node.spec.input:
                return self._literal(path, name)
        return None

    def _literal(self, path: str, port: str) -> Any:
        """The value of an input: its own, or that of the plain value node that feeds it."""
        start = self.flat.links.get(Input(path, port))
        if start is not None:
            path, port = start.node, "value"
        node = self.flat.nodes[path]
        declared = node.spec.input.get(port) if node.spec else None
        return node.values.get(port, declared.default if declared else None)

    def _is_loop(self, path: str) -> bool:
        return self.flat.nodes[path].type == _DENOISE
