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
from nodeforge.ui.running.file_clips import open_file_clip, read_thumbnail
from nodeforge.ui.running.job_queue import Job, snapshot
from nodeforge.ui.running.result_clips import (
    ClipSource,
    ResultClip,
    clip_facts,
    image_of_answer,
)
from nodeforge.ui.running.workers.connection import Answer, WorkerConnection
from nodeforge.values.clips import ClipFacts

THUMBNAIL = 512
"""Longer side of the thumbnails in nodes, pixels."""
SMALLEST = 256
"""Longer side to which previews of latents are enlarged, pixels."""

PictureCallback = Callable[[QImage | None], None]
ClipCallback = Callable[[ClipSource | None], None]


class ResultPictures:
    """Fetches pictures of results of the last run."""

    def __init__(self, link: WorkerConnection, workspace: Workspace) -> None:
        self._first = link
        self._links: dict[str, WorkerConnection] = {}
        """By document, the worker that has run it last: it has what is on no disk."""
        self._workspace = workspace
        workspace.closed.connect(lambda opened: self._links.pop(opened.id, None))

    def show_run(self, opened: OpenDocument, job: Job, link: WorkerConnection) -> None:
        """Fetch the results of `job` from now on, from the worker that runs it."""
        self._links[opened.id] = link
        opened.last_run = {"graph": job.graph, **job.request.meaning}

    def forget(self, link: WorkerConnection) -> None:
        """A worker has ended: what is on disk any other has as well."""
        self._links = {opened: each for opened, each in self._links.items() if each is not link}

    def show_now(self, opened: OpenDocument) -> None:
        """Fetch the results of the document as it is now."""
        opened.last_run = {"graph": snapshot(opened.document.graph), **opened.meaning}

    def link_of(self, opened: OpenDocument) -> WorkerConnection:
        """The worker that has the results of a document."""
        return self._links.get(opened.id, self._first)

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
            tell = partial(self._show_clip_facts, opened.id, node)
            self.render(opened, node, show, longest=THUMBNAIL, tell_clip=tell)
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
        tell_clip: Callable[[ClipFacts | None], None] = lambda _: None,
    ) -> None:
        """Request the picture of a result, or of a denoising step (counted from 1).

        Args:
            port: The output; empty is the first that is a picture.
            tell_clip: Called before `show` gets a picture, with what there is to play; None for
                nothing.
        """
        if opened.last_run is None:
            show(None)
            return
        port = port or self.picture_port(opened, node)
        smooth = step > 0 or self.picture_type(opened, node) == "latent"

        def answered(answer: Answer) -> None:
            if isinstance(answer, dict) and answer["shape"]:
                tell_clip(clip_facts(answer["clip"]) if answer["clip"] else None)
            show(_image_of_answer(answer, smooth=smooth))

        place = self._place(opened, node, port, step)
        self.link_of(opened).ask("render", answered, longest=longest, **place)

    def render_batch(
        self,
        opened: OpenDocument,
        node: str,
        use: Callable[[list[QImage]], None],
        *,
        longest: int,
    ) -> None:
        """Request all pictures of a result, one after another; none where it is gone."""
        if opened.last_run is None:
            use([])
            return
        place = self._place(opened, node, self.picture_port(opened, node), 0)
        link, found = self.link_of(opened), list[QImage]()

        def answered(answer: Answer) -> None:
            image = image_of_answer(answer)
            if image is not None:
                found.append(image)
                ask()
            else:
                use(found)

        def ask() -> None:
            link.ask("render", answered, longest=longest, item=len(found), **place)

        ask()

    def open_clip(
        self, opened: OpenDocument, node: str, use: ClipCallback, *, step: int = 0
    ) -> None:
        """Request the video or the sound of a result, or of a denoising step; None for none.

        Of a node that saves, it is read from the file.
        """
        saved = opened.saved_files.get(node)
        link = self.link_of(opened)
        if saved and not step and open_file_clip(saved[-1], use, link):
            return
        if opened.last_run is None:
            use(None)
            return
        place = self._place(opened, node, self.picture_port(opened, node), step)

        def answered(answer: Answer) -> None:
            found = answer["clip"] if isinstance(answer, dict) else None
            use(ResultClip(link, place, found) if found else None)

        link.ask("open_clip", answered, **place)

    def _place(self, opened: OpenDocument, node: str, port: str, step: int) -> dict[str, Any]:
        """The arguments that say which value is asked for."""
        last_run = opened.last_run or {}
        return {"node": opened.shown_copy(node), "port": port, "step": step, **last_run}

    def count_steps(
        self, opened: OpenDocument, node: str, tell: Callable[[int, int], None]
    ) -> None:
        """Request how many steps a denoise loop has, and which is the last that can be shown.

        Both are 0 for other nodes; a run that was stopped has fewer to show.
        """
        if opened.last_run is None:
            tell(0, 0)
            return
        self.link_of(opened).ask(
            "steps",
            lambda answer: (
                tell(answer["steps"], answer["kept"]) if isinstance(answer, dict) else tell(0, 0)
            ),
            node=opened.shown_copy(node),
            **opened.last_run,
        )

    def show_saved_file(self, opened: OpenDocument, node: str, path: str) -> None:
        """Show the picture, the video or the sound that a node has saved."""
        show = partial(self._show_file_clip, opened.id, node)
        if read_thumbnail(Path(path), THUMBNAIL, show, self._first):
            return
        image = read_scaled(Path(path), THUMBNAIL)
        if not image.isNull():
            opened.show_picture(node, image)

    def _show_beside(self, document_id: str, node: str, image: QImage | None) -> None:
        opened = self._workspace.find(document_id)
        if opened is not None and image is not None:
            opened.show_beside(node, image)

    def _show_file_clip(
        self, document_id: str, node: str, image: QImage | None, facts: ClipFacts
    ) -> None:
        if image is not None:
            self._show_clip_facts(document_id, node, facts)
            self._show(document_id, node, image)

    def _show_clip_facts(self, document_id: str, node: str, facts: ClipFacts | None) -> None:
        opened = self._workspace.find(document_id)
        if opened is not None:
            opened.set_clip(node, facts)

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
    image = image_of_answer(answer)
    return upscaled_preview(image) if image is not None and smooth else image
