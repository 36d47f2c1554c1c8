"""Tasks of the start page: a shipped workflow, with what the person has to say in focus."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QPlainTextEdit

from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.document import Document
from nodeforge.graph.flatten import flatten
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.picture_inputs import picture_inputs
from nodeforge.ui.window.base_window import BaseWindow


def start_task(window: BaseWindow, path: Path) -> None:
    """Open a workflow, and put its prompt in focus."""
    window.files.open(path)
    show_prompt(window)


def show_prompt(window: BaseWindow) -> None:
    """Select what the person has to say in the current workflow, and put it in focus.

    That is the prompt; where a picture is read, the inspector shows both, the prompt first.
    """
    opened, view = window.workspace.current, window.area.view
    if opened is None or view is None:
        return
    catalogue = window.workspace.catalogue
    prompt = prompt_node(opened.document, catalogue)
    inputs = [end.node for end in picture_inputs(opened.document, catalogue)]
    if inputs:
        view.select(inputs[:1])
    elif prompt:
        view.select([prompt])
        focus_text(window)


def edit_text(window: BaseWindow, path: str) -> None:
    """Show the node at `path`, and put its text in focus."""
    window.area.go_to(path)
    focus_text(window)


def focus_text(window: BaseWindow) -> None:
    """Put the text of the selected node in focus, selected: typing replaces it."""
    field = window.inspector.row("text").field
    if field is not None:
        editor = field.editor()
        editor.setFocus()
        if isinstance(editor, QPlainTextEdit):
            editor.selectAll()


def prompt_node(document: Document, catalogue: Catalogue) -> str:
    """The path of the node with the prompt of the first denoise loop; empty for none."""
    trace = LoopTrace(flatten(document.graph, catalogue))
    loop = trace.first_pass()
    return (trace.given_in(loop, "positive", "text") or "") if loop else ""
