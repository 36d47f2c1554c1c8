"""What menus and commands need of the main window: its panels, and methods on the shown view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMainWindow, QSpinBox

from nodeforge.ui.common.command_registry import CommandRegistry
from nodeforge.ui.common.formatting import edit_title
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.files.file_commands import FileCommands
from nodeforge.ui.gallery import Gallery, ResultsDatabase
from nodeforge.ui.inspector import Inspector
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.viewer import Viewer
from nodeforge.ui.window.docks import Docks
from nodeforge.ui.window.documents_area import DocumentsArea
from nodeforge.ui.window.run_messages import RunMessages
from nodeforge.ui.window.status_bar import StatusBar


class BaseWindow(QMainWindow):
    """Base class of the main window, so that menus and commands need not import it."""

    workspace: Workspace
    runner: Runner
    area: DocumentsArea
    files: FileCommands
    messages: RunMessages
    viewer: Viewer
    inspector: Inspector
    gallery: Gallery
    results: ResultsDatabase
    docks: Docks
    status: StatusBar
    commands: CommandRegistry
    run_count: QSpinBox

    def has_document(self) -> bool:
        return self.workspace.current is not None

    def has_selection(self) -> bool:
        current = self.workspace.current
        return current is not None and bool(current.selection)

    def can_undo(self) -> bool:
        current = self.workspace.current
        return bool(self.undo_name()) or (current is not None and current.has_pending_edit())

    def undo_name(self) -> str:
        """The name of the next undo step; empty for none."""
        current = self.workspace.current
        return edit_title(current.document.history.undo_name) if current else ""

    def redo_name(self) -> str:
        current = self.workspace.current
        return edit_title(current.document.history.redo_name) if current else ""

    def call_in_front(self, method: str, *arguments: Any, **options: Any) -> Callable[[], None]:
        """A function that calls `method` of the shown view, the graph view or the canvas."""

        def call() -> None:
            front = self.area.view if self.area.shown == "graph" else self.area.canvas
            if front is not None and hasattr(front, method):
                getattr(front, method)(*arguments, **options)

        return call

    def can_call_in_front(self, method: str, *, selection: bool = False) -> bool:
        """Whether the shown view can run `method` now."""
        if (canvas := self.area.canvas) is not None:
            return canvas.can_run(method)
        if self.area.shown == "form":
            return False
        return self.has_selection() if selection else self.has_document()

    def show_node(self, opened: OpenDocument, node: str) -> None:
        """Show a node of a document, if it is still open."""
        raise NotImplementedError

    def show_picture_menu(self, pictures: list[Picture], place: QPoint) -> None:
        """Show the menu of pictures at a screen position."""
        raise NotImplementedError

    def relink(self, opened: OpenDocument) -> None:
        """Show the Relink models dialog."""
        raise NotImplementedError

    def allow_pickle(self, opened: OpenDocument, file: Path, *, run: bool) -> None:
        """Ask whether a pickle may be used; then check the document again, or run it."""
        raise NotImplementedError

    def ask_grid(self, name: str = "") -> None:
        """Ask for a grid, with an axis of the input ``path.port``."""
        raise NotImplementedError

    def ask_explore(self) -> None:
        """Ask for an exploration."""
        raise NotImplementedError

    def ask_measurement(self, name: str = "") -> None:
        """Ask for the measurement of a model, or of the one that the current workflow loads."""
        raise NotImplementedError

    def copy_json(self, opened: OpenDocument) -> None:
        """Copy the workflow to the clipboard as JSON."""
        raise NotImplementedError

    def switch_theme(self) -> None:
        """Switch between the dark and the light theme."""
        raise NotImplementedError

    def toggle_dock(self, name: str) -> None:
        """Bring a panel to the front, or hide it where it is there."""
        raise NotImplementedError

    def show_first_steps(self) -> None:
        """Start the tour."""
        raise NotImplementedError

    def show_manual(self) -> None:
        """Show the documents that ship."""
        raise NotImplementedError

    def show_palette(self) -> None:
        """Show the command palette."""
        raise NotImplementedError

    def show_shortcuts(self) -> None:
        """Show the list of shortcuts."""
        raise NotImplementedError

    def show_preferences(self) -> None:
        """Show the Preferences dialog."""
        raise NotImplementedError

    def show_logs(self) -> None:
        """Open the folder of logs and crash reports."""
        raise NotImplementedError

    def show_about(self) -> None:
        """Show the version."""
        raise NotImplementedError
