"""The gallery panel: thumbnails of saved results, with search, stars and collections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.clip_files import is_clip_file
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.gallery.picture_texts import picture_texts, search_words
from nodeforge.ui.gallery.results_database import (
    MOST_STARS,
    GalleryError,
    Result,
    ResultsDatabase,
)
from nodeforge.ui.gallery.thumbnail_list import SIDE, ThumbnailList
from nodeforge.ui.running.file_clips import read_thumbnail
from nodeforge.ui.running.job_queue import Job
from nodeforge.values.clips import ClipFacts

EMPTY = "Every picture, video and sound that a workflow saves appears here, with its prompt."
NO_STARS = "No picture has that many stars. Press 1 to 5 on a picture to give it stars."
_READ_AGAIN = 2000
"""Milliseconds until a list that could not be read is read again."""


class Gallery(QWidget):
    """Shows saved results, newest first."""

    shown = Signal(object)
    """The `Picture` that was clicked or reached by the arrow keys."""
    command = Signal(str, list)
    """A command of the picture menu, by key or button: its name, and the chosen `Picture`s."""
    menu_requested = Signal(list, QPoint)
    """The chosen `Picture`s, and a screen position."""
    settings_requested = Signal(Path)
    """Request to load the settings of the workflow embedded in this picture."""
    failed = Signal(str)
    """Emitted with the reason when the list of results cannot be read or changed."""

    def __init__(self, results: ResultsDatabase) -> None:
        super().__init__()
        self._told_of: Path | None = None
        self.setAccessibleName("Gallery")
        self._results = results
        self.search = QLineEdit(placeholderText="Search prompts, models, seeds, settings, names")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search results")
        self.search.textChanged.connect(self.reload)
        self.stars = QComboBox()
        self.stars.setAccessibleName("Least number of stars")
        self.stars.setToolTip("Show pictures with this many stars or more; keys 1 to 5 give stars")
        self.stars.addItem("Any stars", 0)
        for count in range(1, MOST_STARS + 1):
            self.stars.addItem("★" * count, count)
        self.stars.currentIndexChanged.connect(self.reload)
        self.collection = QComboBox()
        self.collection.setAccessibleName("Collection")
        self.collection.setToolTip("Show one collection; the picture's menu puts pictures into one")
        self.collection.currentIndexChanged.connect(self.reload)
        self._compare = QToolButton()
        self._compare.setIcon(icon("columns"))
        self._compare.setToolTip("Compare two pictures: click one, Ctrl+click another")
        self._compare.setAccessibleName("Compare")
        self._compare.clicked.connect(lambda: self.command.emit("compare", self.chosen()))
        self.list = ThumbnailList()
        self.list.doubleClicked.connect(lambda _: self.command.emit("large", self.chosen()))
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.command.connect(self._run)
        self.list.row_shown.connect(self._show_row)
        self._empty = QLabel(EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        self._empty.setProperty("role", "empty")
        self._again = QTimer(self, singleShot=True)
        self._again.setInterval(_READ_AGAIN)
        self._again.timeout.connect(self.reload)
        self._stack = QStackedLayout()
        self._lay_out()
        QTimer.singleShot(0, self, self.reload)  # once the window listens to what is told

    def add(self, job: Job, path: str) -> None:
        """Add a file that a run has saved; of a video or a sound, the thumbnail comes later."""
        clip = is_clip_file(Path(path))
        try:
            texts = job.request.stamp if clip else picture_texts(Path(path), job.request.stamp)
            thumbnail = b"" if clip else _encoded(read_scaled(Path(path), 2 * SIDE), b"jpeg")
            self._results.add(Path(path), job.name, texts, thumbnail, search_words(texts))
            newest = self._results.newest()
        except GalleryError as error:
            self._show_error(error)
            return
        if clip:
            read_thumbnail(Path(path), 2 * SIDE, partial(self._set_thumbnail, Path(path)), self)
        if self._searching or newest is None:
            self.reload()
            return
        self.list.insert(newest)
        self._stack.setCurrentIndex(0)

    def reload(self) -> None:
        """Read the list anew; what is selected stays so."""
        self._list_collections()
        try:
            found = self._results.find(
                self.search.text(),
                stars=self.stars.currentData(),
                collection=self.collection.currentData() or "",
            )
        except GalleryError as error:
            self._show_error(error)
            return
        self._tell_of_damage()
        self.list.show_results(found)
        self._empty.setText(self._why_empty())
        self._stack.setCurrentIndex(0 if found else 1)

    def chosen(self) -> list[Picture]:
        """The selected pictures."""
        return [Picture.of_file(result.path) for result in self.list.chosen()]

    def all(self) -> list[Picture]:
        """All pictures that are listed."""
        return [Picture.of_file(result.path) for result in self.list.all()]

    def change(self, paths: Sequence[Path], do: Callable[[Result], None]) -> None:
        """Call `do` with the result of each file that has one, and show the list anew."""
        try:
            for path in paths:
                if (result := self._results.of(path)) is not None:
                    do(result)
        except GalleryError as error:
            self._show_error(error)
            return
        self.reload()

    def _set_thumbnail(self, path: Path, image: QImage | None, facts: ClipFacts) -> None:
        if image is None:  # damaged, or gone already
            return
        try:
            self._results.set_thumbnail(path, _encoded(image, b"png"), facts.seconds)
        except GalleryError as error:
            self._show_error(error)
            return
        self.reload()

    def _why_empty(self) -> str:
        if self.stars.currentData() and not self.search.text():
            return NO_STARS
        return "No results match this search." if self._searching else EMPTY

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
        return bool(self.search.text() or self.stars.currentData() or self.collection.currentData())

    def _list_collections(self) -> None:
        """Offer the collections that there are, and hide the choice while there is none."""
        names, shown = self._results.collections(), self.collection.currentData() or ""
        self.collection.blockSignals(True)
        self.collection.clear()
        self.collection.addItem("All pictures", "")
        for name in names:
            self.collection.addItem(name, name)
        self.collection.setCurrentIndex(max(0, self.collection.findData(shown)))
        self.collection.blockSignals(False)
        self.collection.setVisible(bool(names))

    def _lay_out(self) -> None:
        column, bar = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(8, 8, 8, 0)
        bar.addWidget(self.search, 1)
        for part in (self.collection, self.stars, self._compare):
            bar.addWidget(part)
        column.addLayout(bar)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        column.addLayout(self._stack, 1)

    def _show_row(self, row: int) -> None:
        self.shown.emit(Picture.of_file(self.list.result(row).path))

    def _menu(self, place: QPoint) -> None:
        if chosen := self.chosen():
            self.menu_requested.emit(chosen, self.list.viewport().mapToGlobal(place))

    def _run(self, name: str) -> None:
        if name.startswith("stars "):
            stars = int(name.removeprefix("stars "))
            paths = [result.path for result in self.list.chosen()]
            self.change(paths, lambda result: self._results.rate(result, stars))
        elif self.list.chosen() or name == "undo":
            self.command.emit(name, self.chosen())


def _encoded(image: QImage, kind: bytes) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(kind)).write(image)
    return bytes(buffer.data().data())
