"""Finds the pickles of a workflow that the person has not allowed."""

from __future__ import annotations

from pathlib import Path

from nodeforge.errors import NodeForgeError
from nodeforge.models import is_pickle
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.files.model_lock import model_references


def refused_pickles(workspace: Workspace, opened: OpenDocument) -> dict[tuple[str, str], Path]:
    """The file at each input (path of the node, port) that names a pickle not allowed yet."""
    found: dict[tuple[str, str], Path] = {}
    granted = frozenset(map(Path, opened.granted))
    for model in model_references(workspace, opened):
        try:
            file = workspace.folders.find(model.kind, model.name, granted)
        except NodeForgeError:
            continue  # it is missing, which is another problem
        if is_pickle(file):
            found[model.path, model.port] = file
    return found
