"""Puts other models in the place of those that are not on this machine."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from nodeforge.errors import NodeForgeError
from nodeforge.graph.edits import SetValue, Together
from nodeforge.graph.inline import inline
from nodeforge.graph.model import Input
from nodeforge.spec import ModelFileWidget
from nodeforge.ui.inspector.model_file import ModelDialog
from nodeforge.ui.open_document import OpenDocument
from nodeforge.ui.workspace import Workspace

Missing = dict[tuple[str, str], list[tuple[str, str]]]
"""Kind and name of a model to the (path, port) that name it."""


def missing_models(workspace: Workspace, opened: OpenDocument) -> Missing:
    """The models that the document names and no folder has."""
    found: Missing = {}
    whole = inline(opened.document.graph)
    granted = frozenset(map(Path, opened.granted))
    for path, node in whole.nodes.items():
        spec = workspace.catalogue.get(node.type)
        for port in spec.inputs if spec else ():
            name = node.values.get(port.name, port.default)
            is_model = isinstance(port.widget, ModelFileWidget) and name
            if not is_model or whole.source(Input(path, port.name)) is not None:
                continue
            assert isinstance(port.widget, ModelFileWidget)
            try:
                workspace.folders.find(port.widget.kind, str(name), granted=granted)
            except NodeForgeError:
                found.setdefault((port.widget.kind, str(name)), []).append((path, port.name))
    return found


class RelinkDialog(QDialog):
    """One row for each model that is missing, however many nodes name it."""

    def __init__(
        self, workspace: Workspace, opened: OpenDocument, missing: Missing, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Relink models")
        self.setMinimumWidth(480)
        self._workspace, self._opened = workspace, opened
        self._chosen: dict[tuple[str, str], str] = {}
        self._missing = missing
        column = QVBoxLayout(self)
        column.setSpacing(8)
        text = QLabel("These models are not on this machine. Choose what to use instead.")
        text.setWordWrap(True)
        column.addWidget(text)
        for model in missing:
            column.addWidget(self._row(model))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._relink = buttons.addButton("Relink", QDialogButtonBox.ButtonRole.AcceptRole)
        self._relink.setEnabled(False)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    def choose(self, model: tuple[str, str], name: str) -> None:
        """Use the model `name` in the place of `model` once the dialog is accepted."""
        self._chosen[model] = name
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

    def _row(self, model: tuple[str, str]) -> QPushButton:
        kind, name = model
        button = QPushButton(f"{kind}: {name}  →  choose…")
        button.setStyleSheet("text-align: left")
        button.setAccessibleName(f"Choose another {kind} for {name}")
        button.clicked.connect(lambda: self._ask(model, button))
        return button

    def _ask(self, model: tuple[str, str], button: QPushButton) -> None:
        dialog = ModelDialog(self._workspace, model[0], self)
        if dialog.exec():
            if dialog.granted:
                self._opened.granted.append(dialog.granted)
            self.choose(model, dialog.chosen)
            button.setText(f"{model[0]}: {model[1]}  →  {dialog.chosen}")
