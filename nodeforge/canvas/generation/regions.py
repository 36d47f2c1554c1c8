"""Adds regional prompts to a workflow: one *Canvas region* node for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nodeforge.canvas.generation.node_copies import copy_after, nodes_of_type
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph

REGION = "canvas.region"


class NoRegionsError(RequestError):
    """A workflow in which a mask cannot have a prompt of its own."""


def add_regions(
    document: Document, regions: Sequence[tuple[str, str]], *, negative: bool = False
) -> None:
    """Let each region's prompt act in its mask, the later ones over the earlier ones.

    The first takes the workflow's *Canvas region*, each other one a copy of it that follows.

    Args:
        document: Changed in place.
        regions: Prompt, and value of the mask's file, of each.
        negative: They are negative prompts, for the nodes that are marked so.

    Raises:
        NoRegionsError: there are regions, and the workflow has no such node.
    """
    places = list(_places(document.graph, negative))
    if regions and not places:
        kind = "negative prompt" if negative else "prompt"
        marked = " with 'negative' switched on" if negative else ""
        raise NoRegionsError(
            f"the workflow has no node 'Canvas region'{marked}, so a mask cannot have its own "
            f"{kind}.",
            way_out=f"Add one between the {kind} and the denoise node, or clear the mask's {kind}.",
        )
    for graph, name in places:
        for number, (prompt, file) in enumerate(regions):
            node = copy_after(graph, name) if number else name
            graph.nodes[node].values |= {"text": prompt, "file": file}
            name = node


def _places(graph: Graph, negative: bool) -> Iterator[tuple[Graph, str]]:
    for inside, name in nodes_of_type(graph, REGION):
        if bool(inside.nodes[name].values.get("negative")) is negative:
            yield inside, name
