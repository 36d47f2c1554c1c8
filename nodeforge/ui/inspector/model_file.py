"""A model, chosen from those on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from nodeforge.models import Kind, ModelInfo
from nodeforge.ui import words
from nodeforge.ui.icons import icon
from nodeforge.ui.inspector.field import MIXED, Field
from nodeforge.ui.workspace import Workspace

_PARTS = {Kind.UNET.value, Kind.VAE.value, Kind.TEXT_ENCODER.value}


class ModelDialog(QDialog):
    """Lists the models of a kind, with a search."""

    def __init__(self, workspace: Workspace, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Choose a model")
        self.resize(560, 440)
        self.chosen = ""
        self.granted = ""
        self._search = QLineEdit(placeholderText="Search", clearButtonEnabled=True)
        self._search.setAccessibleName("Search models")
        self._search.textChanged.connect(self._filter)
        self._list = QTreeWidget(rootIsDecorated=False, alternatingRowColors=False)
        self._list.setHeaderLabels(["Name", "Family", "Size"])
        self._list.setAccessibleName("Models")
        self._list.setColumnWidth(0, 300)
        self._list.itemActivated.connect(self.accept)
        for info in models_of(workspace, kind):
            self._add(info)
        self._empty = QLabel(_where(workspace), wordWrap=True)
        self._empty.setProperty("role", "dim")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        use = buttons.addButton("Use", QDialogButtonBox.ButtonRole.AcceptRole)
        use.setDefault(True)
        other = buttons.addButton("Another file…", QDialogButtonBox.ButtonRole.ActionRole)
        other.clicked.connect(self._browse)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (self._search, self._list, self._empty, buttons):
            column.addWidget(part)
        self._filter("")

    def accept(self) -> None:
        chosen = self._list.selectedItems()
        if chosen:
            self.chosen = chosen[0].text(0)
            super().accept()

    def _add(self, info: ModelInfo) -> None:
        family = info.family or "cannot be used"
        item = QTreeWidgetItem([info.name, family, words.size(info.size) if info.size else ""])
        item.setToolTip(0, str(info.path))
        item.setToolTip(1, info.reason)
        item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight)
        item.setDisabled(info.kind is Kind.UNKNOWN)
        self._list.addTopLevelItem(item)

    def _filter(self, text: str) -> None:
        parts = text.lower().split()
        shown = None
        for index in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(index)
            assert item is not None
            words_of_it = f"{item.text(0)} {item.text(1)}".lower()
            item.setHidden(not all(part in words_of_it for part in parts))
            if not item.isHidden() and shown is None:
                shown = item
        self._list.clearSelection()
        if shown is not None:
            self._list.setCurrentItem(shown)

    def _browse(self) -> None:
        kinds = "Models (*.safetensors *.sft *.ckpt *.pt *.bin);;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self, "Choose a model file", "", kinds)
        if path:
            self.chosen = self.granted = path
            super().accept()


def models_of(workspace: Workspace, kind: str) -> list[ModelInfo]:
    """The models that a port of `kind` can name."""
    wanted = {kind, Kind.CHECKPOINT.value} if kind in _PARTS else {kind}
    return [info for info in workspace.folders.scan() if info.listed in wanted]


def _where(workspace: Workspace) -> str:
    return f"Models lie in {workspace.settings.models}, or in folders named in Preferences."


class ModelField(Field):
    """A model's name, and a button to choose another."""

    def __init__(self, workspace: Workspace, kind: str) -> None:
        super().__init__()
        self._workspace, self._kind = workspace, kind
        self._button = QPushButton()
        self._button.setIcon(icon("cube"))
        self._button.setStyleSheet("text-align: left")
        self._button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._button)

    def editor(self) -> QWidget:
        return self._button

    def show_value(self, value: Any) -> None:
        text = "Several models" if value is MIXED else str(value or "")
        self._button.setText(Path(text).name if text else "Choose a model…")
        self._button.setToolTip(text)

    def _choose(self) -> None:
        dialog = ModelDialog(self._workspace, self._kind, self)
        if dialog.exec():
            if dialog.granted and self._workspace.current is not None:
                self._workspace.current.granted.append(dialog.granted)
            self.new_gesture()
            self.edited.emit(dialog.chosen, [])
