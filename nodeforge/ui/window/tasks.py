"""Tasks of the start page: a shipped workflow, with what the person has to say in focus."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit

from nodeforge.errors import NodeForgeError
from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input
from nodeforge.graph.planned import flatten_with_values
from nodeforge.spec import Catalogue
from nodeforge.ui.common.images import picture_filter
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture_inputs import picture_inputs, use_as_input
from nodeforge.ui.window.base_window import BaseWindow


def start_task(window: BaseWindow, path: Path) -> None:
    """Open a workflow by its form, ask for its picture where it reads one, then for its prompt."""
    window.files.open(path)
    opened = window.workspace.current
    if opened is None:
        return
    if opened.document.form:
        window.area.show_view("form")
    end = next(picture_inputs(opened.document, window.workspace.catalogue), None)
    if end is None:
        show_prompt(window)
    else:
        _ask_picture(window, opened, end)


def show_prompt(window: BaseWindow) -> None:
    """Put the prompt of the current workflow in focus: on the form, or selected in the graph."""
    if (form := window.area.form) is not None:
        form.focus_prompt()
        return
    opened, view = window.workspace.current, window.area.view
    if opened is None or view is None:
        return
    if prompt := prompt_node(opened.document, window.workspace.catalogue):
        view.select([prompt])
        focus_text(window)


def _ask_picture(window: BaseWindow, opened: OpenDocument, end: Input) -> None:
    """Ask for the picture of an input; the node with it stays selected until one is chosen."""
    if window.area.view is not None:
        window.area.view.select([end.node])
    folder = str(window.workspace.store.value("picture_folder", ""))
    dialog = QFileDialog(window, "Choose a picture", folder, picture_filter())
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda file: _use_picture(window, opened, end, Path(file)))
    dialog.open()


def _use_picture(window: BaseWindow, opened: OpenDocument, end: Input, file: Path) -> None:
    """Give the input the picture, and put the prompt in focus."""
    if opened not in window.workspace.documents:
        return
    window.workspace.show(opened)
    try:
        edit = use_as_input(opened.document, window.workspace.settings, file, end)
    except NodeForgeError as error:
        window.area.message_bars.show_message("open", str(error))
        return
    if opened.perform(edit):
        window.workspace.store.setValue("picture_folder", str(file.parent))
        show_prompt(window)


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
    trace = LoopTrace(flatten_with_values(document.graph, catalogue))
    loop = trace.first_pass()
    return (trace.given_in(loop, "positive", "text") or "") if loop else ""
