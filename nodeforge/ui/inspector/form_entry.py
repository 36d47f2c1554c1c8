"""Putting an input on the form, and taking it off."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu

from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.edits import AddToForm, RemoveFromForm
from nodeforge.graph.form import is_given, new_label
from nodeforge.graph.ports import input_spec, port_label
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace


def add_form_entry(
    menu: QMenu, workspace: Workspace, opened: OpenDocument, path: str, port: str
) -> None:
    """Add to `menu` what puts an input on the form, or takes it off."""
    try:
        node = opened.document.node(path)
    except NoSuchNodeError:
        return
    key, label = f"{path}.{port}", port_label(node, port)
    if key in opened.document.form:
        menu.addAction(
            icon("minus-circle"),
            "Take off the form",
            lambda: opened.perform(RemoveFromForm(path, port)),
        )
        return
    spec = input_spec(node, port, workspace.catalogue)
    if spec is not None and spec.widget is not None and not is_given(opened.document, path, port):
        menu.addAction(
            icon("list-plus"),
            f"Add “{label}” to the form",
            lambda: add_to_form(workspace, opened, key),
        )


def add_to_form(workspace: Workspace, opened: OpenDocument, key: str, before: str = "") -> bool:
    """Put the input ``path.port`` on the form, under a label of its own.

    Args:
        before: The entry that it comes before; empty: the last.
    """
    path, _, port = key.partition(".")
    try:
        spec = input_spec(opened.document.node(path), port, workspace.catalogue)
    except NoSuchNodeError:
        spec = None  # dragged out of another window
    if spec is None or spec.widget is None:
        opened.refused.emit(f"'{key}' has no value here that the form could set.")
        return False
    label = new_label(opened.document, workspace.catalogue, path, port)
    return opened.perform(AddToForm(path, port, label, before))
