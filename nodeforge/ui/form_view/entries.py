"""The entries of a form, as rows below the titles of their sections; inputs are dropped there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from nodeforge.graph.edits import MoveOnForm
from nodeforge.graph.form import FormInput
from nodeforge.spec import PortSpec, TextWidget
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.text_field import TextField
from nodeforge.ui.inspector.form_entry import add_to_form
from nodeforge.ui.inspector.port_row import PortRow, dragged_input
from nodeforge.ui.inspector.scrolled_rows import ScrolledRows

EMPTY = (
    "The form is empty. It shows the inputs that are set often, so that no one needs the graph for "
    "them. The menu of a value in the inspector adds it, and so does dragging its name onto Form."
)


_FIRST_TEXT, _TEXT = 140, 80
"""Heights of texts of several lines with their counts: the first, and others; pixels."""


class Entries(ScrolledRows):
    """The rows of the form of one document."""

    source_clicked = Signal(str)
    grid_requested = Signal(str)
    measurement_requested = Signal(str)
    choose_requested = Signal()
    """The person wants to choose entries."""

    def __init__(self, workspace: Workspace, opened: OpenDocument) -> None:
        super().__init__()
        self.setMinimumWidth(280)
        self.setAcceptDrops(True)
        self._workspace, self._opened = workspace, opened
        self.rows: list[PortRow] = []
        self._keys: list[str] = []
        self._place = QFrame(self.viewport())
        self._place.setProperty("role", "outline")
        self._place.setFixedHeight(3)
        self._place.hide()

    def show_entries(self, entries: Sequence[FormInput]) -> None:
        """Make the rows anew; the scroll position stays."""
        place = self.verticalScrollBar().value()
        self.rows, self._keys = [], []
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 4, 4, 4)
        column.setSpacing(8)
        section = ""
        for entry in entries:
            if entry.port is None:
                continue
            if entry.section != section:
                section = entry.section
                title = QLabel(section)
                title.setProperty("role", "heading")
                title.setContentsMargins(0, 8 if self.rows else 0, 0, 0)
                column.addWidget(title)
            row = self._row(entry, entry.port)
            self.rows.append(row)
            self._keys.append(entry.key)
            column.addWidget(row)
        if not self.rows:
            self._fill_empty(column)
        column.addStretch(1)
        self.change_content(content)
        self._place.raise_()
        self.verticalScrollBar().setValue(place)

    def _row(self, entry: FormInput, port: PortSpec) -> PortRow:
        row = PortRow(
            self._workspace, self._opened, [entry.path], port, label=entry.label, compact=True
        )
        row.source_clicked.connect(self.source_clicked)
        row.grid_requested.connect(self.grid_requested)
        row.measurement_requested.connect(self.measurement_requested)
        if isinstance(port.widget, TextWidget) and port.widget.multiline and row.field:
            first = not any(isinstance(each.field, TextField) for each in self.rows)
            row.field.setFixedHeight(_FIRST_TEXT if first else _TEXT)
        return row

    def _fill_empty(self, column: QVBoxLayout) -> None:
        text = QLabel(EMPTY, wordWrap=True)
        text.setProperty("role", "dim")
        choose = QPushButton(icon("plus"), "Add entries…")
        choose.clicked.connect(self.choose_requested)
        column.addWidget(text)
        column.addWidget(choose, 0, Qt.AlignmentFlag.AlignLeft)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if dragged_input(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802
        if not dragged_input(event.mimeData()):
            return
        event.acceptProposedAction()
        row = self._row_at(event.position().toPoint())
        below = self.rows[-1] if self.rows else None
        shown = self.rows[row] if row < len(self.rows) else below
        if shown is not None:
            edge = shown.rect().topLeft() if row < len(self.rows) else shown.rect().bottomLeft()
            top = shown.mapTo(self.viewport(), edge).y()
            self._place.setGeometry(0, top - 5, self.viewport().width(), 3)
            self._place.show()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        self._place.hide()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        self._place.hide()
        key = dragged_input(event.mimeData())
        if not key:
            return
        event.acceptProposedAction()
        row = self._row_at(event.position().toPoint())
        before = self._keys[row] if row < len(self._keys) else ""
        if key in self._opened.document.form:
            self._opened.perform(MoveOnForm(key, before))
        else:
            add_to_form(self._workspace, self._opened, key, before)

    def _row_at(self, place: QPoint) -> int:
        """Before which row something dropped there goes."""
        for index, row in enumerate(self.rows):
            if place.y() < row.mapTo(self.viewport(), row.rect().center()).y():
                return index
        return len(self.rows)
