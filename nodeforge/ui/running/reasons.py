"""Texts that say why nodes are computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeforge.engine.planning.reason import Reason
from nodeforge.ui.common.formatting import byte_size
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace


def reason_text(workspace: Workspace, opened: OpenDocument, reason: Reason | None) -> str:
    """The reason with the titles of the document: ``seed changed in Noise``."""
    if reason is None:
        return ""
    return reason.text(workspace.node_title(opened.document, reason.node))


def forecast_text(
    workspace: Workspace,
    opened: OpenDocument,
    forecast: Mapping[str, Any],
    unread: Mapping[str, int],
) -> str:
    """What a run would do at a node that it computes.

    Args:
        workspace: Knows the nodes' titles.
        opened: The document.
        forecast: A node's part of the worker's answer to ``plan``.
        unread: Models that are read before the run, with their bytes.
    """
    if not forecast.get("reason"):
        return ""
    reason = Reason.from_json(forecast["reason"])
    text = f"Will be computed: {reason_text(workspace, opened, reason)}"
    if unless := forecast.get("unless"):
        titles = (workspace.node_title(opened.document, each) for each in unless)
        text += f"; unless {' and '.join(titles)} comes out as before"
    for path, size in unread.items():
        text += f"\nReads {Path(path).name}, {byte_size(size)}, once"
    return text
