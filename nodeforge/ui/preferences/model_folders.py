"""The list of additional model folders."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.settings import ModelFolder, Settings


class ModelFolders(QWidget):
    """Edits the list of model folders."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName("Model folders")
        self.list.setFixedHeight(84)
        self.list.addItems([folder.path for folder in settings.model_folders])
        self._layouts = {folder.path: folder.layout for folder in settings.model_folders}
        note = QLabel(
            f"Besides {settings.models}. Folders of ComfyUI and A1111 are read as they are."
            " Default: none.",
            wordWrap=True,
        )
        note.setProperty("role", "dim")
        add, remove = QPushButton("Add…"), QPushButton("Remove")
        add.clicked.connect(self._browse)
        remove.clicked.connect(lambda: self.list.takeItem(self.list.currentRow()))
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        row.addWidget(note, 1)
        row.addWidget(add)
        row.addWidget(remove)
        column.addWidget(self.list)
        column.addLayout(row)

    def add(self, path: str) -> None:
        """Add a model folder."""
        if path and not self.list.findItems(path, Qt.MatchFlag.MatchExactly):
            self.list.addItem(path)
            self._layouts[path] = layout_of(Path(path))

    def chosen(self) -> tuple[ModelFolder, ...]:
        paths = [self.list.item(index).text() for index in range(self.list.count())]
        return tuple(ModelFolder(path, self._layouts[path]) for path in paths)

    def _browse(self) -> None:
        self.add(QFileDialog.getExistingDirectory(self, "Choose a folder"))


def layout_of(folder: Path) -> str:
    """The layout of a model folder (A1111, ComfyUI or NodeForge), by its subfolders."""
    for layout, mark in (("a1111", "Stable-diffusion"), ("comfyui", "diffusion_models")):
        if (folder / mark).is_dir():
            return layout
    return "comfyui" if (folder / "loras").is_dir() else "nodeforge"
