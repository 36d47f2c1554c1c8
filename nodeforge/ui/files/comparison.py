"""Compares the open workflow with another: both as one, with the differences in colour."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from nodeforge.errors import NodeForgeError
from nodeforge.graph.comparison.coloured import coloured
from nodeforge.graph.comparison.compare import Difference, Kind, compare
from nodeforge.graph.comparison.compare_text import DifferenceText
from nodeforge.graph.document import Document
from nodeforge.ui.common.background_reader import BackgroundReader, Work
from nodeforge.ui.common.message_bars import Button, MessageBars
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.files.comfyui_import import ReportDialog
from nodeforge.ui.files.document_reading import ForeignWorkflow, read_document

_COLOURS = "Green is new, red is gone, amber has changed."


class WorkflowComparison:
    """Opens comparisons in tabs of their own.

    Args:
        workspace: The open documents.
        reader: Reads the other file in the background.
        message_bars: Say what differs.
        parent: The window, for dialogs.
    """

    def __init__(
        self,
        workspace: Workspace,
        reader: BackgroundReader,
        message_bars: MessageBars,
        parent: QWidget,
    ) -> None:
        self._workspace, self._reader = workspace, reader
        self._message_bars, self._parent = message_bars, parent

    def ask(self, opened: OpenDocument, folder: Path, kinds: str) -> None:
        """Choose the file of an earlier state, and compare it with a document."""
        title = f"Compare “{opened.name}” with"
        path, _ = QFileDialog.getOpenFileName(self._parent, title, str(folder), kinds)
        if path:
            self.with_file(opened, Path(path))

    def with_file(self, opened: OpenDocument, path: Path) -> None:
        """Compare a document with a workflow file, a picture or a video of one."""
        workspace = self._workspace
        work: Work = partial(read_document, path, workspace.catalogue, workspace.settings)
        take = partial(self._take, opened, path.name)
        self._message_bars.dismiss("compare")
        self._reader.read(path.name, work, take, self._refuse, ("compare", path))

    def show(self, opened: OpenDocument, before: Document, name: str) -> OpenDocument:
        """Show what changed from `before` to a document, in a new tab."""
        opened.commit_pending()
        after, catalogue = opened.document, self._workspace.catalogue
        found = compare(before, after, catalogue)
        lines = list(DifferenceText(before, after, catalogue).lines(found))
        made = OpenDocument(
            coloured(before, after, found), name=f"{opened.name}, compared with {name}"
        )
        self._workspace.add(made)
        told: Button = ("Differences…", lambda: self._list(made, lines))
        text = f"{_counted(found)} {_COLOURS}" if found else lines[0]
        self._message_bars.show_message("compare", text, [told], "info", made.id)
        return made

    def _take(self, opened: OpenDocument, name: str, read: Document | ForeignWorkflow) -> None:
        if opened in self._workspace.documents:
            before = read if isinstance(read, Document) else read.imported.document
            self.show(opened, before, name)

    def _refuse(self, error: NodeForgeError) -> None:
        self._message_bars.show_message("compare", str(error))

    def _list(self, made: OpenDocument, lines: list[str]) -> None:
        ReportDialog(lines, made.name, self._parent).exec()


def _counted(found: list[Difference]) -> str:
    """How many nodes are new, gone and other."""
    kinds = {each.node: each.kind for each in found if each.kind is not Kind.REMOVED}
    counts = Counter("added" if kind is Kind.ADDED else "changed" for kind in kinds.values())
    counts["removed"] = sum(each.kind is Kind.REMOVED for each in found)
    parts = (f"{counts[name]} {name}" for name in ("added", "removed", "changed") if counts[name])
    return f"Nodes: {', '.join(parts)}."
