"""Imports and exports picture files of the canvas, in a background thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from nodeforge.canvas import OpenedPicture, State, export_picture, open_picture
from nodeforge.errors import NodeForgeError
from nodeforge.formats.canvas.openraster import OpenedRaster, read_openraster, save_openraster
from nodeforge.imaging import PictureFormat
from nodeforge.settings.whole_file import write_whole
from nodeforge.ui.canvas_view.rendering.qt_images import to_png
from nodeforge.ui.common.background_reader import BackgroundReader
from nodeforge.ui.common.images import picture_filter
from nodeforge.ui.documents.workspace import PROJECT

_EXPORTS = "PNG (*.png);;WebP (*.webp);;JPEG (*.jpg *.jpeg);;Layers, OpenRaster (*.ora)"
_SUFFIXES = {
    ".png": PictureFormat.PNG,
    ".webp": PictureFormat.WEBP,
    ".jpg": PictureFormat.JPEG,
    ".jpeg": PictureFormat.JPEG,
}
OPENRASTER = ".ora"

Done = Callable[[Any], None]


class PictureFiles(QObject):
    """Reads and writes picture files without blocking the window.

    Args:
        parent: The parent of file dialogs.
    """

    status_message = Signal(str)
    refused = Signal(str)
    """The reason why a file cannot be read or written."""
    _done = Signal(object, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._dialog_parent = parent
        self.reader = BackgroundReader(self)
        """Reads the pictures; its progress can be shown, and it can be stopped."""
        self._executor = ThreadPoolExecutor(1, "canvas-files")
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self.reader.finished.connect(lambda: self._closed or self.status_message.emit(""))
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self.reader.close()
        self._executor.shutdown(wait=False)

    def read(
        self, source: Path | bytes, name: str, then: Callable[[OpenedPicture | State], None]
    ) -> None:
        """Read a picture or an OpenRaster file; `then` is called with the content."""
        self.status_message.emit(f"Opening {name}…")
        if isinstance(source, Path) and source.suffix.lower() == OPENRASTER:
            self.reader.read(
                name,
                lambda report: read_openraster(source, report),
                lambda made: self._opened(made, then),
                self._refuse,
            )
        else:
            self.reader.read(name, lambda _: open_picture(source, name), then, self._refuse)

    def read_all(
        self,
        sources: Sequence[Path | bytes],
        name: str,
        then: Callable[[list[OpenedPicture]], None],
    ) -> None:
        """Read pictures; `then` is called once with all, or not at all.

        Args:
            name: What those are called, with a number, that are no files.
        """
        self.status_message.emit(f"Opening {name}…")

        def work(report: Callable[[float], None]) -> list[OpenedPicture]:
            opened: list[OpenedPicture] = []
            for number, source in enumerate(sources, 1):
                title = "" if isinstance(source, Path) else f"{name} {number}"
                opened.append(open_picture(source, title))
                report(number / len(sources))
            return opened

        self.reader.read(name, work, then, self._refuse)

    def ask_open(self, then: Callable[[OpenedPicture | State], None], folder: str = "") -> None:
        paths, _ = QFileDialog.getOpenFileNames(
            self._dialog_parent, "Open a picture", folder, picture_filter(OPENRASTER)
        )
        for path in map(Path, paths):
            self.read(path, path.name, then)

    def ask_export(self, state: State, name: str, text: Mapping[str, str]) -> None:
        """Ask for a file and export the canvas to it."""
        wish = f"{name}.png"
        path, chosen = QFileDialog.getSaveFileName(
            self._dialog_parent, "Export picture", wish, _EXPORTS
        )
        if path:
            self.export(state, _with_suffix(Path(path), chosen), text)

    def export(self, state: State, path: Path, text: Mapping[str, str]) -> None:
        """Export the canvas in the format of the suffix; OpenRaster keeps layers."""
        suffix = path.suffix.lower()
        format = _SUFFIXES.get(suffix)
        if suffix == OPENRASTER:
            self._start(lambda: save_openraster(state, path), lambda _: self._written(path))
        elif format is None:
            self.refused.emit(
                f"{path.name}: pictures are written as PNG, WebP, JPEG or OpenRaster (.ora)."
            )
        else:
            self._start(lambda: _write(state, path, format, text), lambda _: self._written(path))

    def _opened(self, made: OpenedRaster, then: Callable[[OpenedPicture | State], None]) -> None:
        then(made.state)
        if made.told:
            self.status_message.emit(" ".join(made.told))

    def _refuse(self, error: NodeForgeError) -> None:
        self.refused.emit(str(error))

    def _written(self, path: Path) -> None:
        self.status_message.emit(f"Written: {path}")

    def _start(self, work: Callable[[], Any], then: Done) -> None:
        if not self._closed:
            self._executor.submit(work).add_done_callback(lambda made: self._arrived(then, made))

    def _arrived(self, then: Done, made: Future[Any]) -> None:
        if not self._closed:
            self._done.emit(then, made)

    def _deliver(self, then: Done, made: Future[Any]) -> None:
        error = made.exception()
        if isinstance(error, NodeForgeError | OSError | MemoryError):
            self.refused.emit(str(error) or "There is not enough memory for this picture.")
        elif error is not None:
            raise error
        else:
            then(made.result())


def pictures_in(data: QMimeData) -> list[tuple[Path | bytes, str]]:
    """Pictures in dropped or pasted data: (path or PNG content, name)."""
    files = _files_in(data)
    if files:
        return [(path, path.name) for path in files]
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return [(to_png(image), "Pasted")]
    return []


def has_pictures(data: QMimeData) -> bool:
    return data.hasImage() or bool(_files_in(data))


def _files_in(data: QMimeData) -> list[Path]:
    """Local files except workflows and projects, which open as documents."""
    files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in files if path.suffix.lower() not in (".json", PROJECT)]


def _write(state: State, path: Path, format: PictureFormat, text: Mapping[str, str]) -> None:
    content = export_picture(state, format, text)
    write_whole(path, lambda file: file.write(content))


def _with_suffix(path: Path, chosen: str) -> Path:
    if path.suffix:
        return path
    return path.with_suffix(chosen.partition("*")[2].rstrip(")").split()[0])
