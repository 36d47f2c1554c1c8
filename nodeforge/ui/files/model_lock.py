"""Records the content of a workflow's models, and proposes replacements for missing ones.

No model is read as a whole here: that is for the worker. Until it has been, the quick fingerprint
alone is recorded.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from nodeforge.errors import NodeForgeError
from nodeforge.graph.inline import inline
from nodeforge.graph.model import Input
from nodeforge.models import ModelInfo, fingerprints, recognise
from nodeforge.spec import ModelFileWidget
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace

_ALIKE = 0.6


class ModelReference(NamedTuple):
    """A model's kind and name, and the input (path, port) that names it."""

    kind: str
    name: str
    path: str
    port: str


class ModelProposal(NamedTuple):
    """A replacement model, and the reason for it."""

    name: str
    reason: str


def model_references(workspace: Workspace, opened: OpenDocument) -> Iterator[ModelReference]:
    """All models named in unlinked inputs of the document."""
    whole = inline(opened.document.graph)
    for path, node in whole.nodes.items():
        spec = workspace.catalogue.get(node.type)
        for port in spec.inputs if spec else ():
            name = node.values.get(port.name, port.default)
            if not isinstance(port.widget, ModelFileWidget) or not name:
                continue
            if whole.source(Input(path, port.name)) is None:
                yield ModelReference(port.widget.kind, str(name), path, port.name)


def record_models(workspace: Workspace, opened: OpenDocument) -> None:
    """Store what the document's models hold, of those that are available."""
    recorded = dict(opened.document.lock.get("models", {}))
    for model in model_references(workspace, opened):
        try:
            path = _locate(workspace, opened, model.kind, model.name)
            fact = {"quick": fingerprints().quick(path), "size": recognise(path).size}
            if key := fingerprints().known(path):
                fact["fingerprint"] = key
        except (NodeForgeError, OSError):
            continue  # a missing model keeps its record
        recorded[f"{model.kind}/{model.name}"] = fact
    if recorded:
        opened.document.lock["models"] = recorded


def propose_model(
    opened: OpenDocument, kind: str, name: str, available: list[ModelInfo]
) -> ModelProposal | None:
    """The best of `available` models for a missing one: by content, then by name."""
    recorded = opened.document.lock.get("models", {}).get(f"{kind}/{name}", {})
    if same := next((info for info in available if _has_same_content(info, recorded)), None):
        return ModelProposal(same.name, "the same content")
    stems = {info.name: PurePosixPath(info.name.lower()).stem for info in available}
    wanted = PurePosixPath(name.replace("\\", "/").lower()).stem
    if found := next((other for other, stem in stems.items() if stem == wanted), None):
        return ModelProposal(found, "the same name in another folder")
    close = difflib.get_close_matches(wanted, stems.values(), n=1, cutoff=_ALIKE)
    found = next((other for other, stem in stems.items() if stem in close), None)
    return ModelProposal(found, "a similar name") if found else None


def _has_same_content(info: ModelInfo, recorded: Any) -> bool:
    """Whether a model holds what was recorded; only models of the same size are looked at."""
    if not isinstance(recorded, dict) or recorded.get("size") != info.size:
        return False
    try:
        wanted = recorded.get("fingerprint")
        if (known := fingerprints().known(info.path)) and known == wanted:
            return True
        # earlier versions recorded the quick fingerprint under this name
        quick = recorded.get("quick", wanted)
        return fingerprints().quick(info.path) == quick and not (
            known and isinstance(wanted, str) and wanted.startswith("b3:")
        )
    except (NodeForgeError, OSError):
        return False


def _locate(workspace: Workspace, opened: OpenDocument, kind: str, name: str) -> Path:
    granted = frozenset(map(Path, opened.granted))
    return workspace.folders.find(kind, name, granted=granted)
