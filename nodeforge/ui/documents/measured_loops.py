"""What was measured of the model that a node's loop runs."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import loops
from nodeforge.lint.measured import MeasuredLoop, measured
from nodeforge.spec import ModelFileWidget
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace

CURVE_PORTS = frozenset(
    {
        ("sampling.schedule", "steps"),
        ("sampling.sampler", "name"),
        ("sampling.guidance", "scale"),
    }
)
"""Node types and inputs beside which a curve is shown."""
_KINDS = ("checkpoint", "unet")


class ShownLoop(NamedTuple):
    """What was measured of a loop's model, and the loop's steps."""

    found: MeasuredLoop
    steps: int | None


def measured_at(workspace: Workspace, opened: OpenDocument, path: str) -> ShownLoop | None:
    """What was measured of the model of the first loop that the node at `path` tells something."""
    folders = workspace.folders
    if not folders.measurements.any:
        return None
    scene = LintContext(
        opened.document.graph,
        workspace.catalogue,
        folders,
        opened.granted,
        lock=opened.document.lock,
    )
    for loop in loops(scene):
        told_by = (loop.sampler, loop.schedule, loop.guidance)
        if path in told_by and (found := measured(loop)) is not None:
            return ShownLoop(found, loop.steps)
    return None


def model_names(workspace: Workspace, opened: OpenDocument, path: str = "") -> list[str]:
    """The models that can be measured, which the node at `path`, or any, loads."""
    scene = LintContext(opened.document.graph, workspace.catalogue)
    found: dict[str, None] = {}
    for each, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec and path in ("", each) else ():
            widget, name = port.widget, scene.value(each, port.name)
            if not isinstance(widget, ModelFileWidget) or widget.goes_with:
                continue
            if widget.kind in _KINDS and isinstance(name, str) and name:
                found[name] = None
    return list(found)
