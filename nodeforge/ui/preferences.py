"""Preferences, each with its default beside it."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from nodeforge.engine.cache import DiskTier
from nodeforge.errors import NodeForgeError
from nodeforge.settings import GIB, ModelFolder, Settings, save_settings
from nodeforge.ui import words
from nodeforge.ui.workspace import Workspace

_DEVICES = {
    "auto": "The best there is",
    "cuda": "NVIDIA or AMD card (cuda)",
    "mps": "Apple (mps)",
    "xpu": "Intel (xpu)",
    "cpu": "Processor (cpu)",
}
_DEFAULTS = {field.name: field.default for field in fields(Settings)}


class Preferences(QDialog):
    """Writes the settings file when accepted."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.setMinimumWidth(560)
        self._workspace = workspace
        settings = workspace.settings
        self.device = QComboBox()
        for name, text in _DEVICES.items():
            self.device.addItem(text, name)
        self.device.setCurrentIndex(max(0, self.device.findData(settings.device)))
        self.memory = _gib("Memory cache", settings.memory_cache_bytes)
        self.disk = _gib("Disk cache", settings.disk_cache_bytes)
        self.output = QLineEdit(settings.output_folder)
        self.output.setPlaceholderText(str(settings.home / "outputs"))
        self.folders = QListWidget()
        self.folders.addItems([folder.path for folder in settings.model_folders])
        self._layouts = {folder.path: folder.layout for folder in settings.model_folders}
        self._failed = QLabel(wordWrap=True)
        self._failed.setProperty("role", "error")
        self._failed.hide()
        self._lay_out()

    def accept(self) -> None:
        settings = replace(
            self._workspace.settings,
            device=self.device.currentData(),
            memory_cache_bytes=round(self.memory.value() * GIB),
            disk_cache_bytes=round(self.disk.value() * GIB),
            output_folder=self.output.text().strip(),
            model_folders=tuple(self._model_folders()),
        )
        try:
            save_settings(settings)
            self._workspace.set_settings(settings)
        except (OSError, NodeForgeError) as error:
            self._failed.setText(str(error))
            self._failed.show()
            return
        super().accept()

    def add_folder(self, path: str) -> None:
        """Look for models in the folder at `path`, too."""
        if path and not self.folders.findItems(path, Qt.MatchFlag.MatchExactly):
            self.folders.addItem(path)
            self._layouts[path] = layout_of(Path(path))

    def _model_folders(self) -> list[ModelFolder]:
        paths = [self.folders.item(index).text() for index in range(self.folders.count())]
        return [ModelFolder(path, self._layouts[path]) for path in paths]

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(8)
        form.setHorizontalSpacing(16)
        self._add(form, "Device", self.device, _DEVICES[str(_DEFAULTS["device"])])
        self._add(form, "Results in memory", self.memory, _size_of("memory_cache_bytes"))
        self._add(form, "Results on disk", self.disk, _size_of("disk_cache_bytes"))
        clear = QPushButton("Clear results on disk")
        clear.clicked.connect(lambda: clear.setText(f"{words.size(self._clear())} freed"))
        clear.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        form.addRow("", clear)
        output = QHBoxLayout()
        output.setSpacing(8)
        browse = QPushButton("Choose…")
        browse.clicked.connect(lambda: self._browse(self.output.setText))
        output.addWidget(self.output)
        output.addWidget(browse)
        self.output.setAccessibleName("Output folder")
        form.addRow("Output folder", output)
        form.addRow("Model folders", self._folders_box())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton("Save", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self._failed)
        column.addWidget(buttons)

    def _add(self, form: QFormLayout, name: str, widget: QWidget, default: str) -> None:
        widget.setAccessibleName(name)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(widget, 1)
        hint = QLabel(f"default: {default}")
        hint.setProperty("role", "dim")
        row.addWidget(hint, 1)
        form.addRow(name, row)

    def _folders_box(self) -> QVBoxLayout:
        self.folders.setAccessibleName("Model folders")
        self.folders.setMaximumHeight(96)
        column, row = QVBoxLayout(), QHBoxLayout()
        note = QLabel(f"Besides {self._workspace.settings.models}", wordWrap=True)
        note.setProperty("role", "dim")
        add, remove = QPushButton("Add…"), QPushButton("Remove")
        add.clicked.connect(lambda: self._browse(self.add_folder))
        remove.clicked.connect(lambda: self.folders.takeItem(self.folders.currentRow()))
        row.setSpacing(8)
        for part in (add, remove):
            row.addWidget(part)
        row.addStretch(1)
        column.addWidget(self.folders)
        column.addLayout(row)
        column.addWidget(note)
        return column

    def _browse(self, take: object) -> None:
        path = QFileDialog.getExistingDirectory(self, "Choose a folder")
        if path and callable(take):
            take(path)

    def _clear(self) -> int:
        settings = self._workspace.settings
        return DiskTier(settings.cache / "results", "", settings.disk_cache_bytes).clear()


def layout_of(folder: Path) -> str:
    """How a folder of models is laid out, by the subfolders it has."""
    for layout, mark in (("a1111", "Stable-diffusion"), ("comfyui", "diffusion_models")):
        if (folder / mark).is_dir():
            return layout
    return "comfyui" if (folder / "loras").is_dir() else "nodeforge"


def _size_of(name: str) -> str:
    return words.size(float(str(_DEFAULTS[name])))


def _gib(name: str, value: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox(minimum=0.1, maximum=4096, suffix=" GiB", decimals=1)
    box.setValue(value / GIB)
    box.setAccessibleName(name)
    return box
