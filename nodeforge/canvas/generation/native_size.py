"""The native picture size of a workflow's model, from its file's header."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
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
        family: The model's; empty where it is not known.
        variant: The model's; empty for a plain one.
    """

    side: int
    multiple: int
    family: str = ""
    variant: str = ""

    @property
    def references(self) -> int:
        """How many reference pictures the model takes."""
        facts = FAMILIES.get(self.family)
        return facts.references_of(self.variant or facts.variant) if facts else 0

    @property
    def takes_apart(self) -> bool:
        """Whether the model takes a picture apart into layers."""
        return self.family in FAMILIES and FAMILIES[self.family].layers > 0


USUAL = NativeSize(512, 64)
"""For a workflow whose model is not known: every family's sizes divide this multiple."""


def native_size(
    workflow: Document, folders: ModelFolders, granted: Collection[str] = ()
) -> NativeSize:
    """What the first model that `workflow` loads likes; `USUAL` where that cannot be told.

    Args:
        granted: Files outside of the folders that may be read.
    """
    allowed = frozenset(map(Path, granted))
    for name in _checkpoints(workflow.graph):
        try:
            info = recognise(folders.find("checkpoint", name, allowed))
        except NodeForgeError:
            continue  # the run will say what is wrong with it
        facts = FAMILIES.get(info.family or "")
        if facts and not facts.sound:
            return NativeSize(facts.native_size, facts.size_multiple, facts.name, info.variant)
    return USUAL


def _checkpoints(graph: Graph) -> Iterator[str]:
    for node in graph.nodes.values():
        if isinstance(node, Subgraph):
            yield from _checkpoints(node.graph)
        elif node.type == _LOADER:
            yield str(node.values.get("file", ""))
