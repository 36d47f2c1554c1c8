"""Copies of a node of a workflow, one after the other: for each region, for each control layer."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph
from nodeforge.graph.paths import Names


def nodes_of_type(graph: Graph, type_id: str) -> Iterator[tuple[Graph, str]]:
    """The nodes of a type, each with the graph it is in, also inside subgraphs."""
    for name, node in list(graph.nodes.items()):
        if isinstance(node, Subgraph):
            yield from nodes_of_type(node.graph, type_id)
        elif node.type == type_id:
            yield graph, name


def copy_after(graph: Graph, before: str) -> str:
    """A copy of the node `before`, put between it and what it feeds."""
    name = Names(graph.nodes)(before)
    copied: Node = deepcopy(graph.nodes[before])
    ends = [end for end, start in graph.links.items() if start.node == before]
    sides = [(end, start) for end, start in graph.links.items() if end.node == before]
    graph.nodes[name] = copied
    for end in ends:
        graph.links[end] = Output(name, graph.links[end].port)
    for end, start in sides:
        graph.links[Input(name, end.port)] = start
    graph.links[Input(name, "conditioning")] = Output(before, "conditioning")
    return name
