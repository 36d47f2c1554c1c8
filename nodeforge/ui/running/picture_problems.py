"""Finds problems of the pictures that a workflow reads, in a background thread.

A mask that marks nothing, or a picture of a size that the model cannot encode, is found only by
reading the file, which takes too long for the window's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from nodeforge.engine.content.files import Files
from nodeforge.formats import graph_from_json
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.lint import Problem, lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, FileWidget
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.running.job_queue import snapshot


class PictureProblems(QObject):
    """Lints documents with their pictures, one after another; the latest state of each counts."""

    found = Signal(str, list)
    """The id of a document and its problems that were found by reading pictures."""
    _done = Signal(str, int, object)

    def __init__(self) -> None:
        super().__init__()
        self._thread = ThreadPoolExecutor(1, "picture-problems")
        self._turns: dict[str, int] = {}
        self._closed = False
        self._done.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def look(self, opened: OpenDocument, catalogue: Catalogue, settings: Settings) -> None:
        """Read the document's pictures; `found` is emitted, unless it is asked for again before."""
        turn = self._turns[opened.id] = self._turns.get(opened.id, 0) + 1
        if self._closed:
            return
        if not _reads_pictures(opened, catalogue):
            self.found.emit(opened.id, [])
            return
        work, document = _work(opened, catalogue, settings), opened.id

        def work_if_due() -> list[Problem]:
            return work() if self._turns.get(document) == turn else []

        made = self._thread.submit(work_if_due)
        made.add_done_callback(lambda made: self._closed or self._done.emit(document, turn, made))

    def forget(self, document_id: str) -> None:
        self._turns.pop(document_id, None)

    def close(self) -> None:
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _arrived(self, document_id: str, turn: int, made: Future[list[Problem]]) -> None:
        if self._turns.get(document_id) == turn:
            self.found.emit(document_id, made.result())


def _reads_pictures(opened: OpenDocument, catalogue: Catalogue) -> bool:
    types = {node.type for node in every_node(opened.document.graph).values()}
    specs = (catalogue.get(each) for each in types)
    return any(isinstance(p.widget, FileWidget) for spec in specs if spec for p in spec.inputs)


def _work(
    opened: OpenDocument, catalogue: Catalogue, settings: Settings
) -> Callable[[], list[Problem]]:
    """What is done in the thread, on a copy of the document."""
    raw: dict[str, Any] = snapshot(opened.document.graph)
    silenced = dict(opened.document.lint)
    assets: Mapping[str, Any] = dict(opened.document.assets)
    granted = [str(path) for path in opened.granted]

    def work() -> list[Problem]:
        document = Document(graph_from_json(raw), lint=silenced)
        folders, files = ModelFolders(settings), Files(settings, assets, granted)
        without = {_place(each) for each in lint(document, catalogue, folders, granted=granted)}
        whole = lint(
            document,
            catalogue,
            folders,
            granted=granted,
            pictures=files.picture,
            resolve=files.resolve,
        )
        return [each for each in whole if _place(each) not in without]

    return work


def _place(problem: Problem) -> tuple[str, str, str, str]:
    return problem.rule, problem.node, problem.port, problem.fact
