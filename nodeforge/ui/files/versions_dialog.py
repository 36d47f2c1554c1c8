"""The Versions dialog: what a workflow was, with what changed, to open beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.errors import NodeForgeError
from nodeforge.formats import load
from nodeforge.graph.comparison.compare import compare
from nodeforge.graph.comparison.compare_text import DifferenceText
from nodeforge.graph.document import Document
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.versions import Version

_PICTURE = QSize(96, 96)
_LINES = 4
EMPTY = "Versions appear here once the workflow is edited or run."
_ABOUT = (
    "Written after a pause of editing, after a run and when the workflow is saved. "
    "A version opens in a tab of its own; layers of a canvas are not part of it."
)


class VersionsDialog(QDialog):
    """Lists the versions of a document, newest first.

    Args:
        opened: The document.
        versions: Its versions, newest first.
        catalogue: The node types.
        parent: The window.
    """

    chosen = Signal(object, str)
    """The `Document` of a version, and a name for it, to open beside."""
    compared = Signal(object, str)
    """The same, to compare with the document as it is."""

    def __init__(
        self, opened: OpenDocument, versions: list[Version], catalogue: Catalogue, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Versions of “{opened.name}”")
        self.resize(QSize(640, 640).boundedTo(self.screen().availableSize() * 0.9))
        self._name, self._versions, self._catalogue = opened.name, versions, catalogue
        self.list = QListWidget()
        self.list.setAccessibleName("Versions")
        self.list.setIconSize(_PICTURE)
        self.list.setWordWrap(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(self.accept)
        about = QLabel(_ABOUT if versions else EMPTY)
        about.setWordWrap(True)
        about.setProperty("role", "dim")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        beside = buttons.addButton("Open beside", QDialogButtonBox.ButtonRole.AcceptRole)
        beside.setEnabled(bool(versions))
        differences = buttons.addButton("Compare", QDialogButtonBox.ButtonRole.ActionRole)
        differences.setEnabled(bool(versions))
        differences.clicked.connect(self._compare)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(about)
        column.addWidget(self.list, 1)
        column.addWidget(buttons)
        for version in versions:
            self._add(version)
        self.list.setCurrentRow(0)
        self._describing = self._described()
        self._idle = QTimer(self)
        self._idle.timeout.connect(self._describe_next)
        self._idle.start()

    def accept(self) -> None:
        """Open the selected version beside the document."""
        if (read := self._selected()) is not None:
            document, when = read
            self.chosen.emit(document, f"{self._name}, {when}")
            super().accept()

    def _compare(self) -> None:
        """Compare the selected version with the document."""
        if (read := self._selected()) is not None:
            self.compared.emit(*read)
            super().accept()

    def _selected(self) -> tuple[Document, str] | None:
        """The selected version and when it was; one that cannot be read says so in the list."""
        row = self.list.currentRow()
        if row < 0:
            return None
        when = when_text(self._versions[row].when)
        try:
            return load(self._versions[row].file), when
        except NodeForgeError as error:
            self.list.item(row).setText(f"{when}\n{error}")
            return None

    def _add(self, version: Version) -> None:
        item = QListWidgetItem(when_text(version.when))
        picture = QPixmap(str(version.picture)) if version.picture else QPixmap()
        if picture.isNull():
            picture = QPixmap(_PICTURE)
            picture.fill(Qt.GlobalColor.transparent)  # the texts stay in line
        shown = QIcon(picture)
        shown.addPixmap(picture, QIcon.Mode.Selected)  # in its own colours, too
        item.setIcon(shown)
        self.list.addItem(item)

    def _describe_next(self) -> None:
        if next(self._describing, None) is None:
            self._idle.stop()

    def _described(self) -> Iterator[int]:
        """Say of one version after another what changed; a long list opens at once."""
        after, newer = None, -1
        for row, version in enumerate(self._versions):
            try:
                document = load(version.file)
            except NodeForgeError as error:
                self._describe(row, [str(error)])
                continue
            if after is not None:
                found = compare(document, after, self._catalogue)
                lines = list(DifferenceText(document, after, self._catalogue).lines(found))
                self._describe(newer, lines)
            after, newer = document, row
            yield row
        if after is not None:
            self._describe(newer, ["The oldest version that is kept."])

    def _describe(self, row: int, lines: list[str]) -> None:
        item = self.list.item(row)
        more = len(lines) - _LINES
        shown = [*lines[:_LINES], *([f"and {more} more"] if more > 0 else [])]
        item.setText("\n".join([when_text(self._versions[row].when), *shown]))
        item.setToolTip("\n".join(lines))


def when_text(when: datetime, now: datetime | None = None) -> str:
    """A time as people say it: ``today 14:02:10``, ``yesterday 9:30:00``, ``29 Nov 2026 9:30``."""
    when = when.astimezone()
    now = (now or datetime.now(when.tzinfo)).astimezone()
    if when.date() == now.date():
        return f"today {when:%H:%M:%S}"
    if when.date() == (now - timedelta(days=1)).date():
        return f"yesterday {when:%H:%M:%S}"
    return f"{when.day} {when:%b %Y %H:%M}"
