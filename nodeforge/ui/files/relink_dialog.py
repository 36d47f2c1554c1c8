"""The Relink models dialog: replaces missing models by others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.errors import NodeForgeError
from nodeforge.graph.edits import SetValue, Together
from nodeforge.models import kind_label
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.model_field import ModelDialog, models_of_kind
from nodeforge.ui.files.model_lock import ModelProposal, model_references, propose_model

MissingModels = dict[tuple[str, str], list[tuple[str, str]]]
"""(kind, name) of a model to the (path, port) of the inputs that name it."""


def missing_models(workspace: Workspace, opened: OpenDocument) -> MissingModels:
    """The document's models that are in no model folder."""
    found: MissingModels = {}
    granted = frozenset(map(Path, opened.granted))
    for kind, name, path, port in model_references(workspace, opened):
        try:
            workspace.folders.find(kind, name, granted=granted)
        except NodeForgeError:
            found.setdefault((kind, name), []).append((path, port))
    return found


def proposals(
    workspace: Workspace, opened: OpenDocument, missing: MissingModels
) -> dict[tuple[str, str], ModelProposal]:
    """What could replace each missing model, where something could. It reads the headers of all
    models, and parts of those of the same size: it takes a while, in any thread.
    """
    found: dict[tuple[str, str], ModelProposal] = {}
    for kind, name in missing:
        proposal = propose_model(opened, kind, name, models_of_kind(workspace, kind))
        if proposal is not None:
            found[kind, name] = proposal
    return found


class RelinkDialog(QDialog):
    """One row per missing model, with a proposed replacement."""

    def __init__(
        self,
        workspace: Workspace,
        opened: OpenDocument,
        missing: MissingModels,
        proposed: Mapping[tuple[str, str], ModelProposal],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Relink models")
        self.setMinimumWidth(600)
        self._workspace, self._opened = workspace, opened
        self._chosen: dict[tuple[str, str], str] = {}
        self._missing = missing
        self.rows: dict[tuple[str, str], tuple[QPushButton, QLabel]] = {}
        column, self._grid = QVBoxLayout(self), QGridLayout()
        column.setSpacing(8)
        text = QLabel("These models are not on this machine. Choose what to use instead.")
        text.setWordWrap(True)
        self._grid.setColumnStretch(1, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._relink = buttons.addButton("Relink", QDialogButtonBox.ButtonRole.AcceptRole)
        self._relink.setEnabled(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(text)
        column.addLayout(self._grid)
        column.addWidget(buttons)
        for model in missing:
            self._add(model)
            if (proposal := proposed.get(model)) is not None:
                self.choose(model, proposal.name, proposal.reason)

    def choose(self, model: tuple[str, str], name: str, reason: str = "") -> None:
        """Replace `model` by the model `name` when the dialog is accepted."""
        self._chosen[model] = name
        button, label = self.rows[model]
        button.setText(name)
        label.setText(reason)
        self._relink.setEnabled(True)

    def accept(self) -> None:
        edits = [
            SetValue(path, port, name)
            for model, name in self._chosen.items()
            for path, port in self._missing[model]
        ]
        if edits:
            self._opened.perform(Together("relink models", edits))
        super().accept()

    def _add(self, model: tuple[str, str]) -> None:
        kind, name = model
        place = self._grid.rowCount()
        what = QLabel(f"{name}  ({kind_label(kind)})")
        button = QPushButton(icon("cube"), "Choose…")
        button.setStyleSheet("text-align: left")
        button.setAccessibleName(f"Choose another {kind_label(kind)} for {name}")
        button.clicked.connect(lambda: self._ask(model))
        reason = QLabel()
        reason.setProperty("role", "dim")
        for column, part in enumerate((what, button, reason)):
            self._grid.addWidget(part, place, column)
        self.rows[model] = button, reason

    def _ask(self, model: tuple[str, str]) -> None:
        dialog = ModelDialog(self._workspace, model[0], self)
        if dialog.exec():
            if dialog.granted:
                self._opened.granted.append(dialog.granted)
            self.choose(model, dialog.chosen, "chosen")
