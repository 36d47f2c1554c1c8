"""The native picture size of a workflow's model, from its file's header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nodeforge.errors import NodeForgeError
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Subgraph
from nodeforge.models import FAMILIES, ModelFolders, recognise

_LOADER = "models.load"


class NativeSize(NamedTuple):
    """Sizes in pixels.

    Args:
        side: Of the squares the model was trained on.
        multiple: What its widths and heights are multiples of.
    """

    side: int
    multiple: int


USUAL = NativeSize(512, 64)
"""For a workflow whose model is not known: every family's sizes divide this multiple."""


def native_size(workflow: Document, folders: ModelFolders) -> NativeSize:
    """What the first model that `workflow` loads likes; `USUAL` where that cannot be told."""
    for name in _checkpoints(workflow.graph):
        try:
            family = recognise(folders.find("checkpoint", name)).family
        except NodeForgeError:
            continue  # the run will say what is wrong with it
        if family in FAMILIES:
            return NativeSize(FAMILIES[family].native_size, FAMILIES[family].size_multiple)
    return USUAL


def _checkpoints(graph: Graph) -> Iterator[str]:
    for node in graph.nodes.values():
        if isinstance(node, Subgraph):
            yield from _checkpoints(node.graph)
        elif node.type == _LOADER:
            yield str(node.values.get("file", ""))
