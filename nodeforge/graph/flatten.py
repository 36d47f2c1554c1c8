"""The graph that is run: subgraphs inlined, reroutes, switches and bypassed nodes resolved.

The planner and the linter see this graph. Iterative and linear, so that neither a deep nesting
nor a long chain of reroutes can overflow or stall; a ring of reroutes feeds nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nodeforge.graph.inline import inline
from nodeforge.graph.model import Graph, Input, Mode, Node, Output
from nodeforge.graph.ports import input_names, input_spec, output_spec
from nodeforge.spec import Catalogue, NodeSpec, Role


class FlatNode(NamedTuple):
    """A node to run. `values` belongs to the document: read it only.

    `spec` is None where no pack declares the type.
    """

    type: str
    values: dict[str, Any]
    pin: bool
    spec: NodeSpec | None


@dataclass
class FlatGraph:
    """Nodes by path (``group/denoise``), and for each linked input what feeds it.

    The items of a list port count from 0 without gaps, in the order of the document; those of a
    switch as they are numbered there. `planned` may tell what outputs give that are known before
    a run (`nodeforge.graph.planned`): one value, or those of a list.
    """

    nodes: dict[str, FlatNode]
    links: dict[Input, Output]
    planned: Mapping[Output, Sequence[Any]] = field(default_factory=dict)

    def feeds(self) -> dict[str, dict[str, Output | list[Output]]]:
        """By node and linked input, the output that feeds it; of a list port, all of them."""
        found: dict[str, dict[str, Output | list[Output]]] = {}
        lists: dict[tuple[str, str], list[tuple[int, Output]]] = {}
        for target, source in self.links.items():
            if target.item is None:
                found.setdefault(target.node, {})[target.port] = source
            else:
                lists.setdefault((target.node, target.port), []).append((target.item, source))
        for (node, port), items in lists.items():
            found.setdefault(node, {})[port] = [source for _, source in sorted(items)]
        return found


class _Literal(NamedTuple):
    """A value given on a subgraph's port."""

    value: Any


class _Lost:
    """What a muted node, or a bypassed one with nothing to pass on, gives."""


_LOST = _Lost()
_Address = Input | Output
_Source = Output | _Literal | _Lost | None


def flatten(graph: Graph, catalogue: Catalogue) -> FlatGraph:
    """The graph that a run of `graph` computes.

    Subgraphs are inlined; a value on a subgraph's port fills the inputs the port stands for.
    Muted nodes go, and what needs them through a required input. An output of a bypassed node
    is replaced by what feeds its first linked input of the same type. Reroutes and switches are
    replaced by what feeds them, notes go. Nodes of unknown types stay, and so do those that
    `nodeforge.graph.planned.expand` replaces: lists, and switches whose choice is linked.
    """
    return _Flattening(graph, catalogue).result()


class _Flattening:
    def __init__(self, graph: Graph, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.whole = inline(graph, active=True)
        self.nodes: dict[str, FlatNode] = {}
        self.aside: dict[str, Node] = {}
        self.links: dict[Input, Output] = {}
        self.lost: list[Input] = []
        self.known: dict[_Address, _Source] = {}

    def result(self) -> FlatGraph:
        self._sort_nodes()
        self._link()
        if self.lost:
            _Dropping(self.nodes, self.links).drop(self.lost)
        _close_gaps(self.links, self.nodes)
        return FlatGraph(self.nodes, self.links)

    def _sort_nodes(self) -> None:
        specs = self.catalogue.get
        active, compute = Mode.ACTIVE, Role.COMPUTE
        for path, node in self.whole.nodes.items():
            spec = specs(node.type)
            stays = spec is None or spec.role is compute or self._is_planned(path, spec.role)
            if node.mode is active and stays:
                self.nodes[path] = FlatNode(node.type, node.values, node.pin, spec)
            else:
                self.aside[path] = node

    def _is_planned(self, path: str, role: Role) -> bool:
        """Whether what replaces a node hangs on values that are planned."""
        if role is Role.SWITCH:
            return self.whole.link_to(Input(path, "choice")) is not None
        return role is Role.COLLECT

    def _link(self) -> None:
        nodes, links = self.nodes, self.links
        for end, start in self.whole.links.items():
            if end.node in nodes:
                if start.node in nodes:
                    links[end] = start
                else:
                    self._connect(end, self._resolve(start))
        for end, port in self.whole.ports.items():
            if end.node in nodes and end not in self.whole.links:
                self._connect(end, self._resolve(port))

    def _connect(self, end: Input, source: _Source) -> None:
        if isinstance(source, Output):
            self.links[end] = source
        elif isinstance(source, _Literal):
            node = self.nodes[end.node]
            values = {**node.values, end.port: source.value}
            self.nodes[end.node] = node._replace(values=values)
        elif isinstance(source, _Lost):
            self.lost.append(end)

    def _resolve(self, address: _Address) -> _Source:
        """What `address` comes from in the end; remembered for every address on the way."""
        known, trail = self.known, []
        while address not in known:
            known[address] = None
            trail.append(address)
            step = self._step(address)
            if not isinstance(step, tuple) or isinstance(step, _Literal):
                source: _Source = step
                break
            if isinstance(step, Output) and step.node in self.nodes:
                source = step
                break
            address = step
        else:
            source = known[address]
        for passed in reversed(trail):
            if source is None or source is _LOST:
                source = self._literal(passed) or source
            known[passed] = source
        return source

    def _literal(self, address: _Address) -> _Literal | None:
        """The value given on a subgraph's input or on a reroute, where nothing feeds it."""
        if isinstance(address, Input):
            values, port = self.whole.groups[address.node].values, address.port
        else:
            node = self.aside.get(address.node)
            spec = self.catalogue.get(node.type) if node else None
            if node is None or spec is None or node.mode is not Mode.ACTIVE:
                return None
            if spec.role is not Role.REROUTE or not spec.inputs:
                return None
            values, port = node.values, spec.inputs[0].name
        return _Literal(values[port]) if port in values else None

    def _step(self, address: _Address) -> _Address | _Lost | None:
        """One step back: what feeds a subgraph's input, or what an output is replaced by."""
        if isinstance(address, Input):
            return self._feed(address)
        path, port = address
        if group := self.whole.groups.get(path):
            if group.mode is Mode.ACTIVE:
                return self.whole.shown(address)
            return self._step_aside(path, port, group)
        node = self.aside.get(path)
        return self._step_aside(path, port, node) if node else None

    def _step_aside(self, path: str, port: str, node: Node) -> _Address | _Lost | None:
        if node.mode is Mode.MUTE:
            return _LOST
        if node.mode is Mode.BYPASS:
            return self._through(path, port, node) or _LOST
        spec = self.catalogue[node.type]
        if spec.role is Role.REROUTE and spec.inputs:
            return self._feed(Input(path, spec.inputs[0].name))
        if spec.role is Role.SWITCH:
            chosen = self._chosen(Input(path, "choice"), node, spec)
            return self._feed(Input(path, "choices", chosen)) if chosen is not None else None
        return None

    def _feed(self, end: Input) -> _Address | None:
        return self.whole.links.get(end) or self.whole.ports.get(end)

    def _through(self, path: str, port: str, node: Node) -> Output | None:
        """What feeds the first linked input that has the type of output `port`."""
        made = output_spec(node, port, self.catalogue)
        if made is None:
            return None
        for name in input_names(node, self.catalogue):
            taken = input_spec(node, name, self.catalogue)
            if taken is not None and taken.type == made.type:
                end = Input(path, name, 0 if taken.many else None)
                if feed := self.whole.link_to(end):
                    return feed
        return None

    def _chosen(self, choice: Input, node: Node, spec: NodeSpec) -> int | None:
        """The number of a switch's branch; None where only a run could tell it."""
        default = spec.input["choice"].default if "choice" in spec.input else None
        value = node.values.get("choice", default)
        end: Input | None = choice
        while end is not None:
            if end in self.whole.links:
                return None
            end = self.whole.ports.get(end)
            if end is not None and (given := self._literal(end)):
                value = given.value
        return value if isinstance(value, int) else None


class _Dropping:
    """Drops what cannot run because what feeds it is lost."""

    def __init__(self, nodes: dict[str, FlatNode], links: dict[Input, Output]) -> None:
        self.nodes = nodes
        self.links = links
        self.readers: dict[str, list[Input]] = defaultdict(list)
        self.items: Counter[tuple[str, str]] = Counter()
        for end, start in links.items():
            self.readers[start.node].append(end)
            if end.item is not None:
                self.items[end.node, end.port] += 1

    def drop(self, lost: Iterable[Input]) -> None:
        waiting = list(lost)
        while waiting:
            end = waiting.pop()
            if end.node not in self.nodes or not self._is_needed(end):
                continue
            del self.nodes[end.node]
            for reader in self.readers[end.node]:
                del self.links[reader]
                self.items[reader.node, reader.port] -= 1
                waiting.append(reader)
        for end in [end for end in self.links if end.node not in self.nodes]:
            del self.links[end]

    def _is_needed(self, end: Input) -> bool:
        node = self.nodes[end.node]
        if node.spec is None:
            return end.port not in node.values
        port = node.spec.input.get(end.port)
        if port is None:
            return False
        if port.many:
            return not port.optional and not self.items[end.node, end.port]
        return port.required and port.name not in node.values


def _close_gaps(links: dict[Input, Output], nodes: dict[str, FlatNode]) -> None:
    lists: dict[tuple[str, str], list[int]] = defaultdict(list)
    for end in links:
        spec = nodes[end.node].spec
        if end.item is not None and not (spec and spec.role is Role.SWITCH):
            lists[end.node, end.port].append(end.item)
    for (node, port), items in lists.items():
        items.sort()
        for place, item in enumerate(items):
            if place != item:
                links[Input(node, port, place)] = links.pop(Input(node, port, item))
