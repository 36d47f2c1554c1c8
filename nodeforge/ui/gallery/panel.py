"""The gallery panel: thumbnails of saved results, with search, compare and drag and drop."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QFile,
    QIODevice,
    QMimeData,
    QPoint,
    QSize,
    Qt,
    QTimer,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QIcon,
    QImageReader,
    QImageWriter,
    QKeySequence,
    QPixmap,
    QShortcut,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMessageBox,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.errors import NodeForgeError
from nodeforge.formats.pictures import PARAMETERS
from nodeforge.ui.common.file_manager import show_in_file_manager
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.gallery.results_database import GalleryError, Result, ResultsDatabase
from nodeforge.ui.running.job_queue import Job

EMPTY = "Every picture that a workflow saves appears here, with its prompt and seed."
_SIDE = 96
_READ_AGAIN = 2000
"""Milliseconds until a list that could not be read is read again."""
_RESULT = Qt.ItemDataRole.UserRole


class _Pictures(QListWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setGridSize(QSize(_SIDE + 24, _SIDE + 32))
        self.setSpacing(4)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Results")

    def mimeData(self, items: Iterable[QListWidgetItem]) -> QMimeData:  # noqa: N802
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(item.data(_RESULT).path)) for item in items])
        return data

    def chosen(self) -> list[Result]:
        return [item.data(_RESULT) for item in self.selectedItems()]


class Gallery(QWidget):
    """Shows saved results, newest first."""

    open_requested = Signal(Path)
    """Request to open the workflow embedded in this picture."""
    settings_requested = Signal(Path)
    """Request to load the settings of the workflow embedded in this picture."""
    failed = Signal(str)
    """Emitted with the reason when the list of results cannot be read or changed."""

    def __init__(self, results: ResultsDatabase) -> None:
        super().__init__()
        self._told_of: Path | None = None
        self.setAccessibleName("Gallery")
        self._results = results
        self.search = QLineEdit(placeholderText="Search prompts, seeds, names")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search results")
        self.search.textChanged.connect(self.reload)
        self._favourites = QToolButton(checkable=True)
        self._favourites.setIcon(icon("star"))
        self._favourites.setToolTip("Favourites only")
        self._favourites.setAccessibleName("Favourites only")
        self._favourites.toggled.connect(self.reload)
        self._compare = QToolButton()
        self._compare.setIcon(icon("columns"))
        self._compare.setToolTip("Compare the two selected pictures")
        self._compare.setAccessibleName("Compare")
        self._compare.clicked.connect(self._compare_chosen)
        self.list = _Pictures()
        self.list.itemActivated.connect(lambda item: self._open(item.data(_RESULT)))
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.itemSelectionChanged.connect(self._offer)
        remove = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.list)
        remove.setContext(Qt.ShortcutContext.WidgetShortcut)
        remove.activated.connect(lambda: self._delete(self.list.chosen()))
        self._empty = QLabel(EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        self._empty.setProperty("role", "empty")
        self._again = QTimer(self, singleShot=True)
        self._again.setInterval(_READ_AGAIN)
        self._again.timeout.connect(self.reload)
        self._stack = QStackedLayout()
        self._lay_out()
        QTimer.singleShot(0, self, self.reload)  # once the window listens to what is told

    def add(self, job: Job, path: str) -> None:
        """Add a file that a run has saved."""
        image = read_scaled(Path(path), 2 * _SIDE)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"jpeg")).write(image)
        try:
            texts = _texts(Path(path), job.request.stamp)
            self._results.add(Path(path), job.name, texts, bytes(buffer.data().data()))
            newest = self._results.newest()
        except GalleryError as error:
            self._show_error(error)
            return
        if self._searching or newest is None:
            self.reload()
            return
        self.list.insertItem(0, _item(newest))
        self._stack.setCurrentIndex(0)

    def reload(self) -> None:
        text = self.search.text()
        try:
            found = self._results.find(text, favourites=self._favourites.isChecked())
        except GalleryError as error:
            self._show_error(error)
            return
        self._tell_of_damage()
        self.list.clear()
        for result in found:
            self.list.addItem(_item(result))
        self._empty.setText("No results match this search." if self._searching else EMPTY)
        self._stack.setCurrentIndex(0 if found else 1)
        self._offer()

    def _tell_of_damage(self) -> None:
        aside = self._results.moved_aside
        if aside is not None and aside != self._told_of:
            self._told_of = aside
            self.failed.emit(
                "The list of results was damaged: what could be read of it is kept, "
                f"the damaged file is {aside}"
            )

    def _show_error(self, error: GalleryError) -> None:
        """What is shown stays; it is read again in a moment, as another program may be busy."""
        if not self.list.count():
            self._empty.setText(str(error))
            self._stack.setCurrentIndex(1)
        self.failed.emit(str(error))
        self._again.start()

    @property
    def _searching(self) -> bool:
        return bool(self.search.text()) or self._favourites.isChecked()

    def _lay_out(self) -> None:
        column, bar = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(8, 8, 8, 0)
        bar.addWidget(self.search, 1)
        bar.addWidget(self._favourites)
        bar.addWidget(self._compare)
        column.addLayout(bar)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        column.addLayout(self._stack, 1)

    def _offer(self) -> None:
        self._compare.setEnabled(len(self.list.chosen()) == 2)

    def _menu(self, place: QPoint) -> None:
        chosen = self.list.chosen()
        if not chosen:
            return
        menu, first = QMenu(self), chosen[0]
        if len(chosen) == 1:
            whole, settings = "Open workflow", "Load settings"
            menu.addAction(icon("tree-structure"), whole, lambda: self._open(first))
            path = first.path
            menu.addAction(icon("sliders"), settings, lambda: self.settings_requested.emit(path))
            menu.addAction(
                icon("folder-open"), "Show in folder", lambda: show_in_file_manager(path, self)
            )
        if len(chosen) == 2:
            menu.addAction(icon("columns"), "Compare", self._compare_chosen)
        on = not first.favourite
        text = "Add to favourites" if on else "Remove from favourites"
        menu.addAction(icon("star"), text, lambda: self._mark(chosen, on))
        menu.addSeparator()
        menu.addAction(icon("trash"), "Delete…", lambda: self._delete(chosen))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.mapToGlobal(place))

    def _open(self, result: Result) -> None:
        self.open_requested.emit(result.path)

    def _mark(self, chosen: list[Result], favourite: bool) -> None:
        try:
            for result in chosen:
                self._results.mark(result, favourite)
        except GalleryError as error:
            self._show_error(error)
            return
        self.reload()

    def _delete(self, chosen: list[Result]) -> None:
        if not chosen:
            return
        what = chosen[0].path.name if len(chosen) == 1 else f"{len(chosen)} pictures"
        box = QMessageBox(QMessageBox.Icon.Question, "Delete", f"Move {what} to the bin?")
        delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is delete:
            self.delete(chosen)

    def delete(self, chosen: list[Result]) -> None:
        """Move the files to the bin (if there is none, delete them) and remove the entries."""
        try:
            for result in chosen:
                self._results.remove(result)
                if result.path.exists() and not QFile.moveToTrash(str(result.path)):
                    result.path.unlink(missing_ok=True)
        except GalleryError as error:
            self._show_error(error)
            return
        except OSError as error:
            self.failed.emit(f"{error.filename}: cannot be deleted: {error.strerror}.")
        self.reload()

    def _compare_chosen(self) -> None:
        from nodeforge.ui.gallery.compare_dialog import CompareDialog  # numpy: only when needed

        chosen = self.list.chosen()
        if len(chosen) == 2:
            CompareDialog(chosen[0].path, chosen[1].path, self).exec()


def _texts(path: Path, stamp: Mapping[str, str]) -> Mapping[str, str]:
    """The texts in a saved picture, where each of a batch has its own seed; else those of its run.

    Args:
        path: The picture.
        stamp: The texts of the run.
    """
    if path.suffix.lower() == ".png" and (own := QImageReader(str(path)).text(PARAMETERS)):
        return {**stamp, PARAMETERS: own}
    from nodeforge.imaging import read_text  # numpy: only when needed

    try:
        return {**stamp, **read_text(path)}
    except NodeForgeError:  # it is gone already
        return stamp


def _item(result: Result) -> QListWidgetItem:
    pixmap = QPixmap()
    pixmap.loadFromData(result.thumbnail)
    name = result.prompt.split("\n")[0] or result.path.stem
    item = QListWidgetItem(("★ " if result.favourite else "") + name)
    item.setIcon(icon("image", "dim") if pixmap.isNull() else QIcon(pixmap))
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.made))
    seed = f"\nSeed {result.seed}" if result.seed else ""
    gone = "" if result.path.exists() else "\nThe file is no longer there."
    item.setToolTip(
        f"{result.prompt}{seed}\n{result.workflow}, {made}\n{result.path}{gone}".strip()
    )
    item.setData(_RESULT, result)
    return item
