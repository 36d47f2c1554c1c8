"""Fetches pictures of results from the worker's cache; computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from nodeforge.graph.document import NoSuchNodeError
from nodeforge.graph.ports import beside_port, output_spec, picture_port
from nodeforge.ui.common.images import read_scaled
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import Job, snapshot
from nodeforge.ui.running.worker_connection import Answer, WorkerConnection

THUMBNAIL = 512
"""Longer side of the thumbnails in nodes, pixels."""
SMALLEST = 256
"""Longer side to which previews of latents are enlarged, pixels."""

PictureCallback = Callable[[QImage | None], None]


class ResultPictures:
    """Fetches pictures of results of the last run."""

    def __init__(self, link: WorkerConnection, workspace: Workspace) -> None:
        self._link = link
        self._workspace = workspace

    def snapshot(self, job: Job) -> dict[str, Any]:
        """The arguments with which the worker finds the results of `job`."""
        return {"graph": job.graph, **job.request.meaning}

    def snapshot_of(self, opened: OpenDocument) -> dict[str, Any]:
        """The same arguments for the current state of a document."""
        return {"graph": snapshot(opened.document.graph), **opened.meaning}

    def picture_port(self, opened: OpenDocument, node: str) -> str:
        """The first output of `node` that can be shown as a picture; empty for none."""
        try:
            found = opened.document.node(node)
        except NoSuchNodeError:
            return ""
        return picture_port(found, self._workspace.catalogue)

    def picture_type(self, opened: OpenDocument, node: str) -> str:
        """The type of that output; empty for none."""
        port = self.picture_port(opened, node)
        spec = port and output_spec(opened.document.node(node), port, self._workspace.catalogue)
        return spec.type if spec else ""

    def fetch(self, opened: OpenDocument, node: str) -> None:
        """Fetch the thumbnail of a node's result for the document's views."""
        if self.picture_port(opened, node):
            show = partial(self._show, opened.id, node)
            self.render(opened, node, show, longest=THUMBNAIL)
        if port := self.beside_port(opened, node):
            show = partial(self._show_beside, opened.id, node)
            self.render(opened, node, show, longest=THUMBNAIL, port=port)

    def beside_port(self, opened: OpenDocument, node: str) -> str:
        """The output of `node` that is shown left of its picture; empty for none."""
        try:
            return beside_port(opened.document.node(node))
        except NoSuchNodeError:
            return ""

    def render(
        self,
        opened: OpenDocument,
        node: str,
        show: PictureCallback,
        *,
        step: int = 0,
        longest: int = 2048,
        port: str = "",
    ) -> None:
        """Request the picture of a result, or of a denoising step (counted from 1).

        Args:
            port: The output; empty is the first that is a picture.
        """
        if opened.last_run is None:
            show(None)
            return
        port = port or self.picture_port(opened, node)
        smooth = step > 0 or self.picture_type(opened, node) == "latent"
        self._link.ask(
            "render",
            lambda answer: show(_image_of_answer(answer, smooth=smooth)),
            node=opened.shown_copy(node),
            port=port,
            step=step,
            longest=longest,
            **opened.last_run,
        )

    def count_steps(
        self, opened: OpenDocument, node: str, tell: Callable[[int, int], None]
    ) -> None:
        """Request how many steps a denoise loop has, and which is the last that can be shown.

        Both are 0 for other nodes; a run that was stopped has fewer to show.
        """
        if opened.last_run is None:
            tell(0, 0)
            return
        self._link.ask(
            "steps",
            lambda answer: (
                tell(answer["steps"], answer["kept"]) if isinstance(answer, dict) else tell(0, 0)
            ),
            node=opened.shown_copy(node),
            **opened.last_run,
        )

    def show_saved_file(self, opened: OpenDocument, node: str, path: str) -> None:
        """Show the picture file that a node has saved."""
        image = read_scaled(Path(path), THUMBNAIL)
        if not image.isNull():
            opened.show_picture(node, image)

    def _show_beside(self, document_id: str, node: str, image: QImage | None) -> None:
        opened = self._workspace.find(document_id)
        if opened is not None and image is not None:
            opened.show_beside(node, image)

    def _show(self, document_id: str, node: str, image: QImage | None) -> None:
        opened = self._workspace.find(document_id)
        if opened is not None and image is not None:
            opened.show_picture(node, image)


def upscaled_preview(image: QImage) -> QImage:
    """A copy of `image`, smoothly enlarged to 256 pixels if it is smaller."""
    if max(image.width(), image.height()) >= SMALLEST:
        return image.copy()
    box = QSize(SMALLEST, SMALLEST)
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(box, ratio, smooth)


def _image_of_answer(answer: Answer, *, smooth: bool) -> QImage | None:
    if not isinstance(answer, dict) or not answer["shape"]:
        return None
    height, width, channels = answer["shape"]
    formats = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    image = QImage(answer["payload"], width, height, width * channels, formats[channels])
    return upscaled_preview(image) if smooth else image.copy()
