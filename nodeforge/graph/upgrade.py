"""Upgrades nodes that were saved with older versions of their types.

This is part of opening, not an edit: it is done before anyone looks, and there is no undo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph, Upgraded
from nodeforge.graph.paths import join
from nodeforge.spec import Catalogue, NodeSpec, Upgrade


def upgrade(document: Document, catalogue: Catalogue) -> list[Upgraded]:
    """Apply the upgrade steps of the nodes' types; returns the nodes that a step has changed.

    Nodes of unknown types, and of versions above the catalogue's, stay as they are. What was
    done is added to `document.upgraded`, too.
    """
    done: list[_Upgrading] = []
    for level in _levels(document.graph):
        here: dict[str, _Upgrading] = {}
        for name, node in level.graph.nodes.items():
            spec = catalogue.get(node.type)
            if spec is None or not 0 < node.version < spec.version:
                continue
            if steps := [step for number, step in spec.upgrades.items() if number >= node.version]:
                here[name] = _Upgrading(level, name, node, spec)
                for step in steps:
                    here[name].apply(step)
            node.version = spec.version
        if here:
            _rename_ends(level, here)
            done += here.values()
    _rename_entries(document, {each.path: each for each in done})
    made = [each.made for each in done if each.changed]
    document.upgraded = (*document.upgraded, *made)
    return made


@dataclass(eq=False)
class _Level:
    """One graph of the document, and the subgraph that holds it."""

    path: str
    graph: Graph
    around: Subgraph | None = None
    above: _Level | None = None

    @cached_property
    def linked(self) -> dict[str, set[str]]:
        """The input ports with links, by node."""
        made: dict[str, set[str]] = defaultdict(set)
        for end in self.graph.links:
            made[end.node].add(end.port)
        return made


def _levels(graph: Graph) -> Iterator[_Level]:
    waiting = [_Level("", graph)]
    while waiting:
        yield (level := waiting.pop())
        for name, node in level.graph.nodes.items():
            if isinstance(node, Subgraph):
                waiting.append(_Level(join(level.path, name), node.graph, node, level))


class _Upgrading:
    """One node on its way to today's version.

    `inputs` and `outputs` are the names of ports in the file to today's, where they differ.
    """

    def __init__(self, level: _Level, name: str, node: Node, spec: NodeSpec) -> None:
        self.level, self.name, self.node = level, name, node
        self.path = join(level.path, name)
        self.made = Upgraded(self.path, node.type, node.version, spec.version)
        self.changed = False
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, str] = {}

    def apply(self, step: Upgrade) -> None:
        values = self.node.values
        kept = {port: value for port, value in values.items() if port not in step.rename}
        renamed = {step.rename[port]: values[port] for port in values if port in step.rename}
        _follow(self.inputs, step.rename)
        _follow(self.outputs, step.rename_outputs)
        values = {port: step.value(port, value) for port, value in (kept | renamed).items()}
        before = {now: old for old, now in self.inputs.items()}
        linked = self.level.linked.get(self.name, ())
        for port, value in step.set.items():
            if before.get(port, port) not in linked:
                values.setdefault(port, value)
        if values != self.node.values:
            self.node.values, self.changed = values, True
        for port in (*step.values, *step.scale):
            self._exposed(step, port, Input(self.name, before.get(port, port)))

    def _exposed(self, step: Upgrade, port: str, end: Input) -> None:
        """Convert the values of exposed ports that stand for `end`.

        A port that also stands for inputs which keep their meaning keeps its value; the node
        gets the converted one of its own and is not behind that port any longer.
        """
        level = self.level
        while level.around is not None and level.above is not None:
            group = level.around
            found = next((name for name, ends in group.inputs.items() if end in ends), None)
            if found is None:
                return
            ends = group.inputs[found]
            first = end == ends[0] and self._all_alike(ends, level)  # once for all of them
            if first and port in step.scale and found in group.exposed:
                scaled = _scaled(group.exposed[found], step.scale[port])
                group.exposed, self.changed = {**group.exposed, found: scaled}, True
            if found in group.values:
                value = step.value(port, group.values[found])
                if value != group.values[found]:
                    self.changed = True
                    if not self._all_alike(ends, level):
                        group.inputs = {**group.inputs, found: [e for e in ends if e != end]}
                        inner = level.graph.nodes[end.node]
                        name = port if level is self.level else end.port
                        inner.values = {**inner.values, name: value}
                        return
                    if first:
                        group.values = {**group.values, found: value}
            end, level = Input(level.path.rpartition("/")[2], found), level.above

    def _all_alike(self, ends: list[Input], level: _Level) -> bool:
        """Whether all inputs behind an exposed port get the same upgrade."""
        if len(ends) == 1:
            return True
        kinds = {
            (level.graph.nodes[e.node].type, e.port) for e in ends if e.node in level.graph.nodes
        }
        return level is self.level and len(kinds) == 1


def _scaled(entry: Any, factor: float) -> Any:
    """How an exposed port is shown, with its range in another unit."""
    if not isinstance(entry, dict):
        return entry
    ends = {key: entry[key] for key in ("minimum", "maximum") if key in entry}
    numbers = {key: end * factor for key, end in ends.items() if type(end) in (int, float)}
    return {**entry, **numbers}


def _follow(names: dict[str, str], rename: Mapping[str, str]) -> None:
    """Lead `names`, a file's to those of a version, on to the next version's."""
    known = set(names.values())
    for old, now in list(names.items()):
        names[old] = rename.get(now, now)
    for old, now in rename.items():
        if old not in known:
            names.setdefault(old, now)


def _rename_ends(level: _Level, done: dict[str, _Upgrading]) -> None:
    """The links of a graph, and what the ports of the subgraph that holds it stand for."""

    def target(end: Input) -> Input:
        each = done.get(end.node)
        if each is None or end.port not in each.inputs:
            return end
        each.changed = True
        return Input(end.node, each.inputs[end.port], end.item)

    def source(start: Output) -> Output:
        each = done.get(start.node)
        if each is None or start.port not in each.outputs:
            return start
        each.changed = True
        return Output(start.node, each.outputs[start.port])

    if not any(each.inputs or each.outputs for each in done.values()):
        return
    links = level.graph.links
    level.graph.links = {target(end): source(start) for end, start in links.items()}
    if (group := level.around) is not None:
        group.inputs = {port: [target(end) for end in ends] for port, ends in group.inputs.items()}
        group.outputs = {port: source(start) for port, start in group.outputs.items()}


def _rename_entries(document: Document, done: dict[str, _Upgrading]) -> None:
    """The form's entries and the seeds' ways, whose keys are ``path.port``."""

    def key(entry: str) -> str:
        path, _, port = entry.partition(".")
        each = done.get(path)
        if each is None or port not in each.inputs:
            return entry
        each.changed = True
        return f"{path}.{each.inputs[port]}"

    def output_key(entry: str) -> str:
        path, _, port = entry.partition(".")
        each = done.get(path)
        return f"{path}.{each.outputs.get(port, port)}" if each is not None else entry

    broadcasts = document.view.broadcasts
    document.view.broadcasts = {output_key(entry): on for entry, on in broadcasts.items()}
    if any(each.inputs for each in done.values()):
        document.form = {key(entry): how for entry, how in document.form.items()}
        seeds = document.view.seeds
        document.view.seeds = {key(entry): how for entry, how in seeds.items()}
