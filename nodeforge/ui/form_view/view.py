"""The form view: entries on the left, the result large on the right, what was made below it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.graph.form import FormInput, form_entries, is_given
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.text_field import TextField
from nodeforge.ui.form_view.entries import Entries
from nodeforge.ui.form_view.entries_dialog import EntriesDialog
from nodeforge.ui.gallery import ResultsDatabase
from nodeforge.ui.gallery.results_database import GalleryError
from nodeforge.ui.gallery.thumbnail_list import ThumbnailList
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.viewer import Viewer

EMPTY = "The result appears here, after a run."
_STRIP = 140
"""Height of the strip of results, pixels."""
_LISTED = 60
"""Results of the workflow that are listed."""


class FormView(QWidget):
    """Sets and runs a document by its form.

    Args:
        results: Has what the workflow has made.
    """

    run_requested = Signal()
    graph_requested = Signal()
    node_requested = Signal(str)
    """The path of a node to show in the graph."""
    menu_requested = Signal(list, QPoint)
    """The chosen `Picture`s, and a screen position."""
    command = Signal(str, list)
    """A command of the picture menu, with the chosen `Picture`s."""
    grid_requested = Signal(str)
    measurement_requested = Signal(str)

    def __init__(
        self, opened: OpenDocument, workspace: Workspace, runner: Runner, results: ResultsDatabase
    ) -> None:
        super().__init__()
        self.setAccessibleName("Form")
        self._opened, self._workspace, self._results = opened, workspace, results
        self._built: list[Any] = []
        self.viewer = Viewer(workspace, runner, EMPTY)
        self.entries = Entries(workspace, opened)
        self.strip = ThumbnailList()
        self._lay_out()
        self._connect()
        self.viewer.show_nodes(opened, [])
        self.build()
        QTimer.singleShot(0, self, self.list_results)

    def build(self) -> None:
        """Show the entries as the document has them now."""
        found = form_entries(self._opened.document, self._workspace.catalogue)
        self._built = self._facts(found)
        self.entries.show_entries(found)
        self._show_told()

    def focus_prompt(self) -> None:
        """Put the first text of the form in focus, selected: typing replaces it."""
        for row in self.entries.rows:
            if isinstance(row.field, TextField):
                editor = row.field.editor()
                editor.setFocus()
                if isinstance(editor, QPlainTextEdit):
                    editor.selectAll()
                return

    def list_results(self) -> None:
        """List what the workflow has made, newest first."""
        try:
            found = self._results.find(workflow=self._opened.name, limit=_LISTED)
        except GalleryError:  # busy: the next result lists them
            return
        self.strip.show_results(found)

    def choose_entries(self) -> EntriesDialog:
        """Open the Entries of the form dialog."""
        dialog = EntriesDialog(self._workspace, self._opened, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    def close_view(self) -> None:
        """Stop listening to the document."""
        self.viewer.show_nodes(None, [])

    def _lay_out(self) -> None:
        self.run = QPushButton(icon("play", "on_accent"), "Run")
        self.run.setProperty("primary", True)
        self.run.setToolTip("Run the workflow with these values (Ctrl+Enter)")
        graph = QPushButton(icon("tree-structure"), "Show the graph")
        graph.setFlat(True)
        graph.clicked.connect(self.graph_requested)
        choose = QToolButton()
        choose.setIcon(icon("sliders-horizontal"))
        choose.setToolTip("Choose, order and label the entries of this form")
        choose.setAccessibleName("Entries of the form")
        choose.clicked.connect(self.choose_entries)
        top = QHBoxLayout()
        self._title = QLabel(self._opened.name)
        self._title.setProperty("role", "heading")
        top.addWidget(self._title, 1)
        top.addWidget(graph)
        top.addWidget(choose)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 8, 12, 12)
        column.addLayout(top)
        column.addWidget(self.entries, 1)
        column.addWidget(self.run)
        right = QWidget()
        result = QVBoxLayout(right)
        result.setContentsMargins(0, 0, 0, 0)
        result.addWidget(self.viewer, 1)
        self.strip.setFixedHeight(_STRIP)
        self.strip.setAccessibleName("Results of this workflow")
        result.addWidget(self.strip)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([380, 820])
        split.setStretchFactor(1, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)
        self.setFocusProxy(self.entries)

    def _connect(self) -> None:
        opened, viewer, entries = self._opened, self.viewer, self.entries
        self.run.clicked.connect(self.run_requested)
        opened.changed.connect(self._refresh)
        opened.problems_changed.connect(self._show_told)
        opened.file_status_changed.connect(self._show_name)
        viewer.node_requested.connect(self.node_requested)
        viewer.menu_requested.connect(self.menu_requested)
        viewer.command.connect(self.command)
        entries.source_clicked.connect(self.node_requested)
        entries.grid_requested.connect(self.grid_requested)
        entries.measurement_requested.connect(self.measurement_requested)
        entries.choose_requested.connect(self.choose_entries)
        self.strip.row_shown.connect(
            lambda row: viewer.show_file(Picture.of_file(self.strip.result(row).path))
        )
        self.strip.doubleClicked.connect(lambda _: self._run("large"))
        self.strip.customContextMenuRequested.connect(self._menu)
        self.strip.command.connect(self._run)

    def _show_name(self) -> None:
        self._title.setText(self._opened.name)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self._refresh(())

    def _refresh(self, _changes: object) -> None:
        """Follow the document; while it is hidden, it need not."""
        if not self.isVisible():
            return
        found = form_entries(self._opened.document, self._workspace.catalogue)
        if self._facts(found) != self._built:
            self.build()
            return
        for row in self.entries.rows:
            row.refresh()

    def _facts(self, found: list[FormInput]) -> list[Any]:
        """What the rows are made of: where it changes, they are made anew."""
        document = self._opened.document
        return [
            (entry, entry.port is not None and is_given(document, *_input(entry)))
            for entry in found
        ]

    def _show_told(self) -> None:
        """What stands for values that are left to the model, and what the linter says."""
        told = self._opened.auto_texts
        for row in self.entries.rows:
            if row.field is not None:
                row.field.set_auto(told.get(row.inner.node, {}).get(row.inner.port, ""))
            place = row.path, row.port
            mine = [each for each in self._opened.problems if (each.node, each.port) == place]
            row.show_problems(sorted(mine, key=lambda each: each.severity.rank))

    def _chosen(self) -> list[Picture]:
        return [Picture.of_file(result.path) for result in self.strip.chosen()]

    def _menu(self, place: QPoint) -> None:
        if chosen := self._chosen():
            self.menu_requested.emit(chosen, self.strip.viewport().mapToGlobal(place))

    def _run(self, name: str) -> None:
        if self._chosen() and not name.startswith("stars "):
            self.command.emit(name, self._chosen())


def _input(entry: FormInput) -> tuple[str, str]:
    path, _, port = entry.key.partition(".")
    return path, port
