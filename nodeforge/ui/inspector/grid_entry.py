"""The menu entry of a field that makes a grid of its values."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QMenu

from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.ports import port_label
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.sweep_inputs import can_be_swept
from nodeforge.ui.documents.workspace import Workspace


def add_grid(
    menu: QMenu,
    workspace: Workspace,
    opened: OpenDocument,
    path: str,
    port: str,
    ask: Callable[[str], object],
) -> None:
    """Add *Grid…* to the menu of a field, where an axis can be of it.

    Args:
        port: The parameter under the mouse; empty for none.
        ask: Asks for the grid of an input, ``path.port``.
    """
    try:
        node = opened.document.node(path)
    except NoSuchNodeError:
        return
    if port and can_be_swept(opened.document, workspace.catalogue, path, port):
        label = port_label(node, port)
        menu.addAction(icon("table"), f"Grid of “{label}”…", lambda: ask(f"{path}.{port}"))
