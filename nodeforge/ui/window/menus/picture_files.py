"""Pictures as files and on the clipboard: read, copied and written with their workflow."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl
from PySide6.QtGui import QGuiApplication, QImage

from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.formats import graph_from_json, item_of_picture, read_any, stamp
from nodeforge.formats.pictures import PARAMETERS
from nodeforge.graph.document import Document
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.file_clips import open_file_clip, read_thumbnail
from nodeforge.ui.running.result_clips import ClipSource
from nodeforge.ui.running.runner import Runner
from nodeforge.values.output_names import told

LARGEST = 16384
"""Longer side at which pictures are copied and written, pixels."""
SUFFIXES = (".png", ".webp", ".jpg")
Use = Callable[[QImage], None]


def fetch(runner: Runner, picture: Picture, use: Callable[[QImage | None], None]) -> None:
    """Give `use` the image in full size: of the file, else of the result, which the worker has.

    Of a video it is the first frame, of a sound the waveform.
    """
    if picture.path is not None:
        if read_thumbnail(picture.path, LARGEST, lambda image, _: use(image), runner):
            return
        image = read_scaled(picture.path, LARGEST)
        use(None if image.isNull() else image)
    elif picture.opened is not None:
        shown = picture.opened.pictures.get(picture.node)
        runner.pictures.render(
            picture.opened, picture.node, lambda image: use(image or shown), longest=LARGEST
        )
    else:
        use(None)


def may_be_batch(runner: Runner, pictures: Sequence[Picture]) -> bool:
    """Whether they are several pictures, or one result that may hold several."""
    opened, node = pictures[0].opened, pictures[0].node
    if len(pictures) > 1 or opened is None:
        return len(pictures) > 1
    saved = len(opened.saved_batch(node))
    return saved > 1 or (not saved and runner.pictures.picture_type(opened, node) == "image")


def fetch_batch(
    runner: Runner, pictures: Sequence[Picture], use: Callable[[Sequence[Path | bytes]], None]
) -> None:
    """Give `use` several pictures, or all of one result, as files or their contents.

    Several are in the order of their names, as a batch is saved.
    """
    first = pictures[0]
    if len(pictures) > 1 or first.opened is None:
        use(sorted(each.path for each in pictures if each.path is not None))
    elif saved := first.opened.saved_batch(first.node):
        use(saved)
    else:
        from nodeforge.ui.canvas_view.rendering.qt_images import to_png  # numpy, OpenCV

        runner.pictures.render_batch(
            first.opened,
            first.node,
            lambda images: use([to_png(image) for image in images]),
            longest=LARGEST,
        )


def open_clip(
    runner: Runner, owner: QObject, picture: Picture, use: Callable[[ClipSource | None], None]
) -> None:
    """Give `use` what there is to play: of the file, else of the result; None for a still picture.

    Args:
        owner: Lives as long as the file is read.
    """
    if picture.path is not None:
        if not open_file_clip(picture.path, use, owner):
            use(None)
    elif picture.opened is not None and picture.node in picture.opened.clips:
        runner.pictures.open_clip(picture.opened, picture.node, use)
    else:
        use(None)


def workflow_of(picture: Picture) -> tuple[Document, int | None]:
    """The workflow that made a picture, and the picture's place in a batch drawn at once.

    Raises:
        RequestError: it holds none, or has not been run.
    """
    if picture.path is not None:
        return read_any(picture.path), item_of_picture(picture.path)
    if picture.opened is None or picture.opened.last_run is None:
        raise RequestError("has no workflow.", place=picture.name, way_out="Run its workflow.")
    ran, now = picture.opened.last_run, picture.opened.document
    graph, assets, lock = graph_from_json(ran["graph"]), ran["assets"], ran["lock"]
    document = Document(graph, assets=dict(assets), lock=dict(lock))
    document.view.positions = dict(now.view.positions)
    document.view.collapsed = dict(now.view.collapsed)
    return document, None


def copy_to_clipboard(image: QImage, paths: list[Path]) -> None:
    """Put an image, and the files where there are any, on the clipboard."""
    data = QMimeData()
    data.setImageData(image)
    if paths:
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    QGuiApplication.clipboard().setMimeData(data)


def write_picture(workspace: Workspace, picture: Picture, image: QImage, path: Path) -> None:
    """Write a picture with the workflow that made it; a file of the same kind is copied.

    Args:
        workspace: Declares the node types.
        picture: What is written.
        image: Its pixels.
        path: The file; its suffix is one of `SUFFIXES`.

    Raises:
        RequestError: it cannot be written.
    """
    try:
        if picture.path is not None and picture.path.suffix.lower() == path.suffix.lower():
            if picture.path != path:
                shutil.copyfile(picture.path, path)
            return
        path.write_bytes(_encoded(workspace, picture, image, path))
    except OSError as error:
        raise RequestError(
            f"cannot be written: {error.strerror}.", place=str(path), way_out="Choose another."
        ) from error


def prompt_of(workspace: Workspace, picture: Picture) -> str:
    """The prompt that made a picture; empty where nothing tells."""
    try:
        return told(_texts(workspace, picture).get(PARAMETERS, ""))[0]
    except NodeForgeError:
        return ""


def _texts(workspace: Workspace, picture: Picture) -> Mapping[str, str]:
    """The texts in a saved picture, and those that another would be saved with.

    Raises:
        PictureError: the file cannot be read.
    """
    if picture.path is not None:
        from nodeforge.imaging import read_text  # numpy: only when needed

        return read_text(picture.path)
    try:
        return stamp(workflow_of(picture)[0], workspace.catalogue, workspace.recognised(()))
    except NodeForgeError:
        return {}


def _encoded(workspace: Workspace, picture: Picture, image: QImage, path: Path) -> bytes:
    from nodeforge.imaging import PictureFormat, encode  # numpy: only when needed
    from nodeforge.ui.canvas_view.rendering.qt_images import straight_pixels

    texts = _texts(workspace, picture)
    kinds = {".webp": PictureFormat.WEBP, ".png": PictureFormat.PNG}
    kind = kinds.get(path.suffix.lower(), PictureFormat.JPEG)
    return encode(straight_pixels(image), kind, texts)


def with_file(picture: Picture, image: QImage, use: Callable[[Path], object]) -> None:
    """Give `use` the file of a picture; of a result that was not saved, one for the moment."""
    if picture.path is not None:
        use(picture.path)
        return
    with tempfile.TemporaryDirectory(prefix="nodeforge-") as folder:
        path = Path(folder) / f"{picture.name}.png"
        image.save(str(path))
        use(path)
