"""The field for a text file, which is copied to the assets, or what is read in place.

Folders, videos and sounds are; a text is small.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from nodeforge.engine.content.files import FOLDERS, READ_IN_PLACE
from nodeforge.errors import NodeForgeError
from nodeforge.graph.assets import ASSET
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.picture_inputs import file_value
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.elided import ElidedButton
from nodeforge.ui.fields.field import MIXED, Field

_TEXTS = "Texts (*.txt *.csv *.md);;All files (*)"
_CALLED = {"video": "video", "audio": "sound file"}


class FileField(Field):
    """Shows the name of a file or a folder, and lets the person choose another.

    Args:
        kind: As `nodeforge.spec.FileWidget` has it.
    """

    def __init__(self, workspace: Workspace, kind: str) -> None:
        super().__init__()
        self._workspace, self._kind, self._name = workspace, kind, "file"
        self._is_folder = kind in FOLDERS
        self.setAcceptDrops(True)
        self._button = ElidedButton()
        self._button.setIcon(icon("folder-open" if self._is_folder else "file-text"))
        self._button.setStyleSheet("text-align: left")
        self._button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._button, 1)

    def editor(self) -> QWidget:
        return self._button

    def set_label(self, name: str) -> None:
        self._name = name
        self._button.setAccessibleName(f"{name}: {self._button.text()}")

    def show_value(self, value: Any) -> None:
        text = "Several files" if value is MIXED else str(value or "").removeprefix(ASSET)
        if self._kind == "wildcards" and text == ".":
            text = "Your wildcard files"
        called = "folder" if self._is_folder else _CALLED.get(self._kind, "file")
        self._button.setText(text or f"Choose or drop a {called}…")
        self._button.setToolTip(text)
        self.set_label(self._name)

    def take(self, path: Path) -> None:
        """Use a file or folder that the person chose as the value."""
        opened = self._workspace.current
        if opened is None:
            return
        self.new_gesture()
        if self._kind in READ_IN_PLACE:
            opened.granted.append(str(path.absolute()))
            self.edited.emit(str(path.absolute()), [])
            return
        try:
            value, entry = file_value(opened.document, self._workspace.settings, path, self._kind)
        except NodeForgeError as error:
            self.refused.emit(str(error))
            return
        self.edited.emit(value, [entry])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if self._dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if (path := self._dropped(event)) is not None:
            event.acceptProposedAction()
            self.take(path)

    def _dropped(self, event: QDropEvent) -> Path | None:
        urls = event.mimeData().urls()
        path = Path(urls[0].toLocalFile()) if urls and urls[0].isLocalFile() else None
        return path if path is not None and path.is_dir() == self._is_folder else None

    def _choose(self) -> None:
        if self._is_folder:
            path = QFileDialog.getExistingDirectory(self, "Choose a folder")
        else:
            called = _CALLED.get(self._kind, "text file")
            path, _ = QFileDialog.getOpenFileName(
                self, f"Choose a {called}", "", _file_filter(self._kind)
            )
        if path:
            self.take(Path(path))


def _file_filter(kind: str) -> str:
    """What a file dialog offers for a kind of `FileWidget`."""
    if kind not in _CALLED:
        return _TEXTS
    from nodeforge.media import AUDIO_SUFFIXES, VIDEO_SUFFIXES  # brings FFmpeg: only when needed

    sounds = " *".join((*AUDIO_SUFFIXES, *VIDEO_SUFFIXES))
    videos = " *".join(VIDEO_SUFFIXES)
    named = f"Videos (*{videos})" if kind == "video" else f"Sounds (*{sounds})"
    return f"{named};;All files (*)"
