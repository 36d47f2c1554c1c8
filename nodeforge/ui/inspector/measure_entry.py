"""The menu entry of a model's field and node that measures the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QMenu

from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.ports import input_spec
from nodeforge.spec import ModelFileWidget
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.measured_loops import model_names
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace


def add_measuring(
    menu: QMenu,
    workspace: Workspace,
    opened: OpenDocument,
    path: str,
    port: str,
    ask: Callable[[str], object],
) -> None:
    """Add *Measure this model…* to the menu of a field, or of a node that loads a model.

    Args:
        port: The parameter under the mouse; empty for none.
        ask: Asks for the measurement of a model by its name.
    """
    try:
        node = opened.document.node(path)
    except NoSuchNodeError:
        return
    spec = input_spec(node, port, workspace.catalogue) if port else None
    if port and (spec is None or not isinstance(spec.widget, ModelFileWidget)):
        return
    for name in model_names(workspace, opened, path):
        text = f"Measure “{Path(name).name}”…"
        menu.addAction(icon("chart-line"), text, lambda name=name: ask(name))
