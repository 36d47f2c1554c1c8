"""Opens workflows and pictures of other programs as new documents and shows the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.message_bars import Button, MessageBars
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace

if TYPE_CHECKING:
    from nodeforge.formats.comfyui import Imported, Report
    from nodeforge.formats.parameters.foreign.report import ImportedSettings, SettingsReport


class ReportDialog(QDialog):
    """Shows a report as text that can be copied."""

    def __init__(self, lines: Iterable[str], title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 480)
        self.text = QPlainTextEdit("\n".join(lines), readOnly=True)
        self.text.setAccessibleName("Report of each node")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(buttons)


class ComfyUIImport:
    """Imports workflows of ComfyUI into the workspace.

    Args:
        parent: The window, for the report.
    """

    def __init__(self, workspace: Workspace, message_bars: MessageBars, parent: QWidget) -> None:
        self._workspace, self._message_bars, self._parent = workspace, message_bars, parent
        workspace.closed.connect(lambda opened: message_bars.dismiss(_subject(opened)))

    def show(
        self,
        imported: Imported | ImportedSettings,
        name: str,
        buttons: Sequence[Button] = (),
        *,
        in_front: bool,
    ) -> OpenDocument:
        """Show an imported workflow as a new one, and what became of it.

        Args:
            name: Of the document.
            buttons: Additional buttons of the message, besides the report.
            in_front: Make it the current document.
        """
        opened = OpenDocument(imported.document, None, name)
        self._workspace.add(opened, in_front=in_front)
        report = imported.report
        show: Button = ("Report…", lambda: self._show_report(opened, report))
        other = "" if not report.differences else " Some settings give different pictures here."
        kind = "warn" if report.missing else "info"
        text = f"“{opened.name}” was imported: {report.summary}{other}"
        subject = _subject(opened)
        self._message_bars.show_message(subject, text, [show, *buttons], kind, opened.id)
        return opened

    def _show_report(self, opened: OpenDocument, report: Report | SettingsReport) -> None:
        ReportDialog(report.lines(), f"Import of {opened.name}", self._parent).exec()


def _subject(opened: OpenDocument) -> str:
    return f"imported {opened.id}"
