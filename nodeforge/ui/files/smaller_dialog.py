"""The dialog that writes a model with its weights in 8 bits."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.engine.worker_client.smaller_model import FORMS, Smaller, save_smaller, smaller_name
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings
from nodeforge.ui.common.background_task import run_in_background

_WIDTH = 560
_ABOUT = (
    "Writes a copy of a denoiser, a text encoder or a whole checkpoint with its large matrices in "
    "8 bits: about half of 16, on the disk and in memory. Pictures change a little. ComfyUI reads "
    "the copy, too."
)
_GB = 1e9
_FILES = "Models (*.safetensors *.sft);;All files (*)"


class SmallerDialog(QDialog):
    """Asks for a model, a form and a new file, and writes it.

    Args:
        settings: Folders and limits.
        file: The model that is proposed, if any.
        parent: The window.
    """

    written = Signal(object)
    """`Smaller`: what was written."""

    def __init__(
        self, settings: Settings, file: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Save model smaller")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self.model = QLineEdit(accessibleName="Model")
        self.form = QComboBox(accessibleName="Form")
        for form, told in FORMS.items():
            self.form.addItem(told, form)
        self.target = QLineEdit(accessibleName="New file")
        self.fact = QLabel(wordWrap=True)
        self.fact.setProperty("role", "error")
        self.fact.hide()
        about = QLabel(_ABOUT, wordWrap=True)
        about.setProperty("role", "dim")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = QPushButton("Save")
        self.save.setProperty("primary", True)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._write)
        buttons.rejected.connect(self.reject)
        rows = QFormLayout()
        rows.addRow("Model", self._with_browse(self.model, self._choose_model))
        rows.addRow("Form", self.form)
        rows.addRow("New file", self._with_browse(self.target, self._choose_target))
        column = QVBoxLayout(self)
        column.setSpacing(12)
        for part in (about, rows, self.fact, buttons):
            column.addLayout(part) if isinstance(part, QFormLayout) else column.addWidget(part)
        self.model.textChanged.connect(self._propose)
        self.form.currentIndexChanged.connect(self._propose)
        self.target.textChanged.connect(self._enable)
        self.model.setText(str(file or ""))
        self._enable()

    def _with_browse(self, line: QLineEdit, choose: object) -> QHBoxLayout:
        button = QPushButton("Browse…")
        button.setAccessibleName(f"Browse for {line.accessibleName().lower()}")
        button.clicked.connect(choose)
        row = QHBoxLayout()
        row.addWidget(line, 1)
        row.addWidget(button)
        return row

    def _choose_model(self) -> None:
        start = self.model.text() or str(self._settings.home / "models")
        if chosen := QFileDialog.getOpenFileName(self, "Choose a model", start, _FILES)[0]:
            self.model.setText(chosen)

    def _choose_target(self) -> None:
        start = self.target.text()
        if chosen := QFileDialog.getSaveFileName(self, "New file", start, _FILES)[0]:
            self.target.setText(chosen)

    def _propose(self) -> None:
        text = self.model.text().strip()
        self.target.setText(str(smaller_name(Path(text), self.form.currentData())) if text else "")

    def _enable(self) -> None:
        self.save.setEnabled(bool(self.model.text().strip() and self.target.text().strip()))

    def _write(self) -> None:
        file, target = (Path(line.text().strip()) for line in (self.model, self.target))
        self.fact.hide()
        try:
            made = run_in_background(
                self,
                f"Writing {target.name}…",
                lambda report: save_smaller(
                    self._settings, file, self.form.currentData(), target, lambda: report(0.0)
                ),
            )
        except NodeForgeError as error:
            self.fact.setText(str(error))
            self.fact.show()
            return
        if isinstance(made, Smaller):
            self.written.emit(made)
            self.accept()


def smaller_text(made: Smaller) -> str:
    """What was written, a sentence for the status bar."""
    before, after = made.before / _GB, made.after / _GB
    return f"{made.file.name}: {after:.2f} GB instead of {before:.2f} GB."
