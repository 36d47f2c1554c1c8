"""Behind a list, each saved picture remembers its own values, and opens with them alone.

The chunk ``nodeforge_copy`` holds, by path of a list and its output, the value that the picture was
made with. A workflow that is opened from the picture has it in place of the list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.model import Graph, Node, Output, Subgraph
from nodeforge.graph.paths import Names, split
from nodeforge.graph.planned import HOLDERS, Expanded

COPY = "nodeforge_copy"
"""The name of the chunk."""


def chunk_of(expanded: Expanded, copy: str) -> str:
    """The chunk of `copy`, what the lists before it gave; empty where it stands behind none."""
    found = {
        path: {port: expanded.values[Output(path, port)][place] for port in expanded.lists[path]}
        for path, place in expanded.places.get(copy, {}).items()
    }
    return json.dumps(found) if found else ""


def narrow(document: Document, chunk: str) -> None:
    """Put nodes that hold the values of a chunk in place of the lists that gave them.

    What the chunk names and the workflow does not have is passed over.
    """
    try:
        told = json.loads(chunk)
    except ValueError:
        return
    for path, values in told.items() if isinstance(told, dict) else ():
        group, name = split(path)
        try:
            around = document.node(group) if group else None
            graph = document.group(group)
        except NoSuchNodeError:
            continue
        if name in graph.nodes and isinstance(values, dict):
            shown = around.outputs if isinstance(around, Subgraph) else {}
            _replace_list(graph, shown, name, values)


def _replace_list(
    graph: Graph, shown: dict[str, Output], name: str, values: Mapping[str, Any]
) -> None:
    free, held = Names(graph.nodes), dict[Output, Output]()
    for port, value in values.items():
        kind = HOLDERS.get(type(value))
        if kind is not None:
            made = free(name)
            title = graph.nodes[name].title
            graph.nodes[made] = Node(kind, {"value": value}, title=title)
            held[Output(name, port)] = Output(made, "value")
    for table in (graph.links, shown):
        for end, start in table.items():
            table[end] = held.get(start, start)  # pyright: ignore[reportArgumentType]
    read = {*graph.links.values(), *shown.values()}
    if not any(start.node == name for start in read):
        del graph.nodes[name]
        for end in [end for end in graph.links if end.node == name]:
            del graph.links[end]
    for start in held.values():
        if start not in read:
            del graph.nodes[start.node]
