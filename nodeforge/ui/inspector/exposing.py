"""Menu entries that expose a parameter of a node inside a subgraph, or stop exposing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.edits import Expose, Unexpose
from nodeforge.graph.edits.exposed import exposing_port
from nodeforge.graph.model import Input, Subgraph
from nodeforge.graph.paths import split
from nodeforge.graph.ports import input_spec, port_label, title_of
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace

if TYPE_CHECKING:
    from nodeforge.ui.inspector.exposed_dialog import ExposedDialog


def add_exposing(
    menu: QMenu, workspace: Workspace, opened: OpenDocument, path: str, port: str = ""
) -> None:
    """Add to `menu` what can be exposed at the node at `path`.

    Args:
        port: The parameter under the mouse; empty for none.
    """
    try:
        node = opened.document.node(path)
    except NoSuchNodeError:
        return
    around, name = split(path)
    spec = input_spec(node, port, workspace.catalogue) if port else None
    if around and spec is not None and spec.widget is not None:
        group = title_of(opened.document.node(around), split(around)[1], workspace.catalogue)
        label = port_label(node, port)
        if exposed := exposing_port(opened.document, path, port):
            menu.addAction(
                icon("eye-slash"),
                f"Stop exposing “{label}” on “{group}”",
                lambda: opened.perform(Unexpose(around, exposed)),
            )
        elif Input(name, port) not in opened.document.group(around).links:
            menu.addAction(
                icon("eye"),
                f"Expose “{label}” on “{group}”",
                lambda: opened.perform(Expose(path, port)),
            )
    if isinstance(node, Subgraph):
        menu.addAction(
            icon("sliders-horizontal"),
            "Exposed parameters…",
            lambda: show_exposed(workspace, opened, path, menu.parentWidget()),
        )


def show_exposed(
    workspace: Workspace, opened: OpenDocument, path: str, parent: QWidget | None
) -> ExposedDialog:
    """Open the Exposed parameters dialog of the subgraph at `path`."""
    from nodeforge.ui.inspector.exposed_dialog import ExposedDialog

    dialog = ExposedDialog(workspace, opened, path, parent.window() if parent else None)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
