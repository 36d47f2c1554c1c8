"""Model files that a workflow needs, that are not here, and whose addresses it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nodeforge.errors import RequestError
from nodeforge.formats.comfyui.comfy_graph import ComfyGraph, ModelFile
from nodeforge.graph.model import Node
from nodeforge.spec import Catalogue, ModelFileWidget

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders


def models_not_here(
    graph: ComfyGraph,
    converted: Mapping[str, Sequence[Node]],
    catalogue: Catalogue,
    folders: ModelFolders | None,
) -> list[ModelFile]:
    """Model files with an address that no folder of models holds, each once. Nothing is fetched.

    Args:
        converted: Our nodes by the id of the node that they were made for.
        folders: Where to look; without it no file is here.
    """
    found: dict[ModelFile, None] = {}
    for node in graph.nodes.values():
        for file in node.models if node.is_active else ():
            named = _model_files(converted.get(node.id, ()), catalogue)
            named = ((kind, name) for kind, name in named if _base(name) == file.name)
            if folders is None or not any(_is_here(folders, *each) for each in named):
                found[file] = None
    return list(found)


def _model_files(nodes: Sequence[Node], catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Kind and name of the model files that `nodes` load."""
    for node in nodes:
        spec = catalogue.get(node.type)
        for port in spec.inputs if spec else ():
            value = node.values.get(port.name)
            if isinstance(port.widget, ModelFileWidget) and type(value) is str:
                yield port.widget.kind, value


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _is_here(folders: ModelFolders, kind: str, name: str) -> bool:
    try:
        folders.find(kind, name)
    except RequestError:
        return False
    return True
