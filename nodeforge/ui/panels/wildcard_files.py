"""The dialog for wildcard files: a list of files beside a plain editor."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.errors import RequestError
from nodeforge.graph.planned.wildcards import (
    SUFFIXES,
    WildcardFolder,
    files_below,
    text_of_file,
)
from nodeforge.settings.whole_file import write_whole
from nodeforge.ui.common.system_trash import move_to_trash

_ABOUT = "One option a line; # begins a comment. A prompt names a file as __name__."
_NAME = re.compile(r"[^\\:*?\"<>|\0/]+(?:/[^\\:*?\"<>|\0/]+)*")


class WildcardFilesDialog(QDialog):
    """Shows, edits, adds, renames and deletes the files of a wildcard folder.

    A text is saved when another file is chosen and when the dialog is closed. Files that are
    dropped are copied into the folder.

    Args:
        folder: The folder; it is made with the first file.
    """

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self._open: Path | None = None
        self.setWindowTitle("Wildcard files")
        self.setAcceptDrops(True)
        self.resize(760, 480)
        self.files = QListWidget()
        self.files.setAccessibleName("Wildcard files")
        self.files.setMaximumWidth(260)
        self.files.currentItemChanged.connect(self._changed)
        self.editor = QPlainTextEdit(placeholderText=_ABOUT)
        self.editor.setAccessibleName("Options of the wildcard, one a line")
        self.editor.setAcceptDrops(False)  # files dropped there are copied, too
        self.message = QLabel(wordWrap=True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setProperty("role", "error")
        self._rename, self._delete = QPushButton("Rename…"), QPushButton("Move to trash")
        new = QPushButton("New…")
        new.clicked.connect(self._ask_new)
        self._rename.clicked.connect(self._ask_name)
        self._delete.clicked.connect(self.delete)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for button in (new, self._rename, self._delete):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        column, row = QVBoxLayout(self), QHBoxLayout()
        about = QLabel(f"{_ABOUT} They lie in {folder}.", wordWrap=True)
        about.setProperty("role", "dim")
        column.addWidget(about)
        row.addWidget(self.files)
        row.addWidget(self.editor, 1)
        column.addLayout(row, 1)
        column.addWidget(self.message)
        column.addWidget(buttons)
        self._list("")

    def add(self, name: str) -> bool:
        """Add an empty text file, and open it; returns whether it is there."""
        path = self._place(name, ".txt")
        if path is None or not self._written(path, ""):
            return False
        self._list(name)
        self.editor.setFocus()
        return True

    def rename(self, name: str) -> bool:
        """Give the open file another name; returns whether it has it."""
        if self._open is None or not self.save():
            return False
        path = self._place(name, self._open.suffix)
        if path is None:
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open.rename(path)
        except OSError as error:
            return self._tell(f"{self._open} cannot be renamed: {error.strerror or error}.")
        self._open = None
        self._list(name)
        return True

    def delete(self) -> None:
        """Move the open file to the system's trash."""
        path = self._open
        if path is None:
            return
        self._open = None  # what was typed goes to the trash as it was saved last
        if path.exists() and move_to_trash(path) is None:
            self._open = path
            self._tell(f"{path} cannot be moved to the trash. Delete it in your file manager.")
            return
        self._list("")

    def take(self, paths: list[Path]) -> None:
        """Copy wildcard files into the folder; none is overwritten."""
        last = ""
        for path in paths:
            if path.suffix.lower() not in SUFFIXES:
                self._tell(f"{path.name} is no wildcard file: they end in {', '.join(SUFFIXES)}.")
                return
            place = self._place(path.stem, path.suffix.lower())
            if place is None:
                return
            try:
                text_of_file(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
            except RequestError as error:
                self._tell(str(error))
                return
            except OSError as error:
                self._tell(f"{path} cannot be copied: {error.strerror or error}.")
                return
            last = path.stem
        self._list(last)

    def save(self) -> bool:
        """Write the open file where it was changed; returns whether it is as shown."""
        if self._open is None or not self.editor.document().isModified():
            return True
        if not self._written(self._open, self.editor.toPlainText()):
            return False
        self.editor.document().setModified(False)
        return True

    def reject(self) -> None:
        """Close, unless what was typed cannot be saved."""
        if self.save():
            super().reject()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if paths := _dropped(event):
            event.acceptProposedAction()
            self.take(paths)

    def _list(self, name: str) -> None:
        """Show the files anew, and open the one called `name`, else the first."""
        if not self.save():
            return
        self.files.blockSignals(True)
        self.files.clear()
        self._tell("")
        found: list[tuple[str, Path]] = []
        try:
            found = files_below(self.folder)
            WildcardFolder(self.folder).names()  # says which YAML file is broken
        except RequestError as error:
            self._tell(str(error))
        for each, path in found:
            item = QListWidgetItem(each if path.suffix == ".txt" else f"{each}{path.suffix}")
            item.setData(Qt.ItemDataRole.UserRole, path)
            self.files.addItem(item)
        names = [each for each, _ in found]
        self.files.setCurrentRow(names.index(name) if name in names else 0)
        self.files.blockSignals(False)
        self._show(self.files.currentItem())

    def _changed(self, now: QListWidgetItem | None, before: QListWidgetItem | None) -> None:
        if self.save():
            self._show(now)
            return
        self.files.blockSignals(True)
        self.files.setCurrentRow(self.files.row(before) if before is not None else -1)
        self.files.blockSignals(False)

    def _show(self, item: QListWidgetItem | None) -> None:
        path: Path | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        text = ""
        self._open = path
        if path is not None:
            try:
                text = text_of_file(path)
            except RequestError as error:
                self._open = None
                self._tell(str(error))
        self.editor.setPlainText(text)
        self.editor.document().setModified(False)
        self.editor.setEnabled(self._open is not None)
        self._rename.setEnabled(self._open is not None)
        self._delete.setEnabled(self._open is not None)

    def _place(self, name: str, suffix: str) -> Path | None:
        """Where a file of that name goes; None where it cannot be called so, which is told."""
        parts = name.split("/")
        bad = not _NAME.fullmatch(name) or any(
            part.strip() != part or part.startswith(".") or "__" in part for part in parts
        )
        if bad or len(name) > 200:
            self._tell(f"'{name}' can be no wildcard's name. Use letters, digits and folders/.")
            return None
        path = self.folder.joinpath(*parts[:-1], parts[-1] + suffix)
        if path.exists():
            self._tell(f"There is a file '{name}' already. Choose another name.")
            return None
        return path

    def _written(self, path: Path, text: str) -> bool:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda file: file.write(text.encode("utf-8")))
        except RequestError as error:
            return self._tell(str(error))
        except (OSError, UnicodeEncodeError) as error:
            return self._tell(f"{path} cannot be written: {error}.")
        return True

    def _tell(self, text: str) -> bool:
        self.message.setText(text)
        self.message.setVisible(bool(text))
        return False

    def _ask_new(self) -> None:
        name, given = QInputDialog.getText(self, "New wildcard file", "Name, as folder/name:")
        if given:
            self.add(name.strip())

    def _ask_name(self) -> None:
        item = self.files.currentItem()
        before = item.text().removesuffix(self._open.suffix) if item and self._open else ""
        name, given = QInputDialog.getText(self, "Rename", "Name, as folder/name:", text=before)
        if given and name.strip() != before:
            self.rename(name.strip())


def _dropped(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
