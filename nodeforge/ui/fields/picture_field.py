"""The picture field: a picture is chosen or dropped and copied to the assets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPixmap
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from nodeforge.engine.content.files import Files
from nodeforge.errors import NodeForgeError
from nodeforge.graph.assets import ASSET
from nodeforge.spec import PortSpec
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.images import picture_filter, read_scaled
from nodeforge.ui.documents.picture_inputs import picture_value
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.clear_button import ClearButton
from nodeforge.ui.fields.elided import ElidedButton
from nodeforge.ui.fields.field import MIXED, Field

_LONGEST = 240


class PictureField(Field):
    """Shows a picture's name and thumbnail."""

    def __init__(self, workspace: Workspace, port: PortSpec) -> None:
        super().__init__()
        self._workspace, self._port = workspace, port
        self._name = "picture"
        self.setAcceptDrops(True)
        self._button = ElidedButton()
        self._button.setIcon(icon("image"))
        self._button.setStyleSheet("text-align: left")
        self._button.clicked.connect(self._choose)
        self._thumbnail = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._thumbnail.setAccessibleName("The chosen picture")
        self._thumbnail.hide()
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        row.addWidget(self._button, 1)
        self._clear = ClearButton(self._button) if port.optional else None
        if self._clear is not None:
            row.addWidget(self._clear)
            self._clear.clicked.connect(self._use_none)
        column.addWidget(self._thumbnail)

    def editor(self) -> QWidget:
        return self._button

    def set_label(self, name: str) -> None:
        self._name = name
        self._say()
        if self._clear is not None:
            self._clear.setAccessibleName(f"use no {name}")

    def _say(self) -> None:
        self._button.setAccessibleName(f"{self._name}: {self._button.text()}")

    def show_value(self, value: Any) -> None:
        text = "Several pictures" if value is MIXED else str(value or "").removeprefix(ASSET)
        self._button.setText(text or "Choose or drop a picture…")
        self._say()
        if self._clear is not None:
            self._clear.setVisible(bool(text))
        image = None if value is MIXED or not value else self._read(value)
        self._thumbnail.setVisible(image is not None)
        if image is not None:
            self._thumbnail.setPixmap(image)

    def _read(self, value: Any) -> QPixmap | None:
        opened = self._workspace.current
        if opened is None:
            return None
        files = Files(self._workspace.settings, opened.document.assets, opened.granted)
        try:
            image = read_scaled(files.resolve(self._port, value), _LONGEST)
        except NodeForgeError:
            return None  # shown in the problems panel
        return None if image.isNull() else QPixmap.fromImage(image)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if _file_in(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if path := _file_in(event):
            event.acceptProposedAction()
            self.take(path)

    def take(self, path: Path) -> None:
        """Copy a picture to the assets and use it as the value."""
        opened = self._workspace.current
        if opened is None:
            return
        try:
            value, entry = picture_value(opened.document, self._workspace.settings, path)
        except NodeForgeError as error:
            self.refused.emit(str(error))
            return
        self.new_gesture()
        self.edited.emit(value, [entry])

    def _use_none(self) -> None:
        self._button.setFocus()
        self.new_gesture()
        self.edited.emit(None, [])

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a picture", "", picture_filter())
        if path:
            self.take(Path(path))


def _file_in(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    return Path(urls[0].toLocalFile()) if urls and urls[0].isLocalFile() else None
