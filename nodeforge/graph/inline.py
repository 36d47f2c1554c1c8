"""The graph with subgraphs inlined: every node by path, and where subgraph ports lead."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph


@dataclass
class Inlined:
    """All levels of a graph at once; every address is a path from the root.

    Args:
        nodes: The nodes that are no subgraphs.
        groups: The subgraphs.
        links: The links of all levels; either end may be a subgraph's port.
        ports: An input inside a subgraph to the subgraph's own input that feeds it.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    groups: dict[str, Subgraph] = field(default_factory=dict)
    links: dict[Input, Output] = field(default_factory=dict)
    ports: dict[Input, Input] = field(default_factory=dict)

    def shown(self, output: Output) -> Output | None:
        """What a subgraph shows as `output`, one level inside."""
        source = self.groups[output.node].outputs.get(output.port)
        return source and Output(f"{output.node}/{source.node}", source.port)

    def source(self, end: Input) -> Output | None:
        """The output of a node, no subgraph, that feeds `end` through whatever ports."""
        return self.innermost(self.link_to(end))

    def link_to(self, end: Input) -> Output | None:
        """Where the link starts that feeds `end`, here or at a port of a subgraph around it."""
        feed, port = self.links.get(end), self.ports.get(end)
        while feed is None and port is not None:
            feed, port = self.links.get(port), self.ports.get(port)
        return feed

    def innermost(self, output: Output | None) -> Output | None:
        """The output of a node, no subgraph, that `output` shows."""
        while output is not None and output.node in self.groups:
            output = self.shown(output)
        return output

    def ends(self, end: Input) -> list[Input]:
        """The inputs of nodes, no subgraphs, that `end` stands for."""
        found: list[Input] = []
        waiting = [end]
        while waiting:
            end = waiting.pop()
            group = self.groups.get(end.node)
            if group is None:
                found.append(end)
            else:
                waiting += (
                    Input(f"{end.node}/{inner.node}", inner.port, inner.item)
                    for inner in group.inputs.get(end.port, ())
                )
        return found

    def node_links(self) -> dict[Input, Output]:
        """The links between nodes as if there were no subgraphs."""
        if not self.groups:
            return self.links
        ends = [end for table in (self.links, self.ports) for end in table]
        made = {end: self.source(end) for end in ends if end.node in self.nodes}
        return {end: start for end, start in made.items() if start is not None}


def inline(graph: Graph, *, active: bool = False) -> Inlined:
    """All levels of `graph`; with `active`, not what is inside muted or bypassed subgraphs."""
    made = Inlined()
    lists: dict[tuple[str, str], list[Input]] = defaultdict(list)
    waiting = [("", graph)]
    while waiting:
        path, graph = waiting.pop()
        prefix = f"{path}/" if path else ""
        if path:
            _add_ports(made, lists, path)
        found = _add_nodes(made, prefix, graph)
        _add_links(made, lists, prefix, graph)
        waiting += [
            (group, made.groups[group].graph)
            for group in found
            if not active or made.groups[group].mode is Mode.ACTIVE
        ]
    return made


def _add_nodes(made: Inlined, prefix: str, graph: Graph) -> list[str]:
    groups: list[str] = []
    for name, node in graph.nodes.items():
        if isinstance(node, Subgraph):
            made.groups[prefix + name] = node
            groups.append(prefix + name)
        else:
            made.nodes[prefix + name] = node
    return groups


def _add_links(
    made: Inlined, lists: dict[tuple[str, str], list[Input]], prefix: str, graph: Graph
) -> None:
    if not prefix:
        made.links.update(graph.links)
    else:
        for end, start in graph.links.items():
            end = Input(prefix + end.node, end.port, end.item)
            made.links[end] = Output(prefix + start.node, start.port)
    for end in graph.links:
        if end.item is not None and prefix + end.node in made.groups:
            lists[prefix + end.node, end.port].append(Input(prefix + end.node, end.port, end.item))


def _add_ports(made: Inlined, lists: dict[tuple[str, str], list[Input]], path: str) -> None:
    """The ports of one subgraph; one that stands for a whole list passes each place on."""
    group = made.groups[path]
    for port in sorted(group.inputs):
        places = sorted(lists.get((path, port), ())) or [Input(path, port)]
        for target in group.inputs[port]:
            name = f"{path}/{target.node}"
            for place in places if target.item is None else places[:1]:
                item = place.item if target.item is None else target.item
                end = Input(name, target.port, item)
                made.ports.setdefault(end, place)
                if item is not None and target.node in group.graph.nodes:
                    lists[name, target.port].append(end)


def every_node(graph: Graph) -> dict[str, Node]:
    """All nodes of all levels by path, subgraphs included."""
    whole = inline(graph)
    return {**whole.nodes, **whole.groups}
