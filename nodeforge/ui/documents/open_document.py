"""A workflow that is open in a tab: the document, its file, and what runs have said of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from nodeforge.errors import RequestError
from nodeforge.graph.changes import Change, Touched
from nodeforge.graph.document import Document
from nodeforge.graph.history import Edit
from nodeforge.lint import Problem
from nodeforge.ui.documents.node_state import NodeState

if TYPE_CHECKING:
    from nodeforge.canvas import Canvas


class OpenDocument(QObject):
    """One tab's workflow.

    Args:
        document: The truth; views ask it for edits through `perform`.
        path: Its file; None until it is saved.
        name: What the tab says where there is no file.
        recovered: It is what a crash left: differs from its file from the start.
    """

    changed = Signal(tuple)
    """The changes of an edit, an undo or a redo."""
    graph_changed = Signal()
    """Something else than the canvas has changed."""
    file_status_changed = Signal()
    """Its file, its name, or whether it differs from its file."""
    states_changed = Signal(dict)
    """Node path to `NodeState`, for those that changed."""
    picture_changed = Signal(str)
    """The path of a node that has a new picture."""
    problems_changed = Signal()
    memory_needs_changed = Signal()
    """What its models will need is known anew."""
    refused = Signal(str)
    """Why an edit cannot be made."""
    commit_requested = Signal()
    """What is in hand is to be finished: the document is about to be used as it is."""
    canvas_made = Signal()

    def __init__(
        self,
        document: Document,
        path: Path | None = None,
        name: str = "Untitled",
        *,
        recovered: bool = False,
    ) -> None:
        super().__init__()
        self.id = uuid.uuid4().hex[:12]
        self.document = document
        self.path = path
        self._name = name
        self.recovered = recovered
        self.granted: list[str] = []
        self.states: dict[str, NodeState] = {}
        self.pictures: dict[str, QImage] = {}
        self.problems: list[Problem] = []
        self.memory_needs: dict[str, dict[str, dict[str, int]]] = {}
        """Node to the bytes that each network of its model takes: ``weights``, ``working``."""
        self.selection: list[str] = []
        self.last_run: dict[str, Any] | None = None
        """The graph as it was last run, for the pictures of its steps."""
        self.steps: dict[str, int] = {}
        """How many steps the last run of a node had."""
        self.step_pictures: dict[str, dict[int, QImage]] = {}
        """The previews of the last run of a node, by step."""
        self.canvas: Canvas | None = None
        """What is painted; its steps are in the document's history."""
        self.generations: list[dict[str, Any]] = []
        """What was made on the canvas, the oldest first."""
        self.project_extra: dict[str, Any] = {}
        """Fields of a project file that this version does not know."""
        self.has_pending_edit: Callable[[], bool] = lambda: False
        """Whether something is in hand that `settle` would finish."""
        self._end = document.subscribe(self._on_changes)

    @property
    def name(self) -> str:
        if self.path is None:
            return self._name
        return self.path.name.removesuffix(".json").removesuffix(".nforge")

    @property
    def modified(self) -> bool:
        return self.recovered or self.document.history.modified

    def perform(self, edit: Edit) -> bool:
        """Make `edit`; where it cannot be made, say why (`refused`) and return False."""
        try:
            self.document.perform(edit)
        except RequestError as error:
            self.refused.emit(str(error))
            return False
        return True

    def show_memory_needs(self, needs: dict[str, dict[str, dict[str, int]]]) -> None:
        if needs != self.memory_needs:
            self.memory_needs = needs
            self.memory_needs_changed.emit()

    def commit_pending(self) -> None:
        """Finish what is in hand, as a stroke on the canvas."""
        self.commit_requested.emit()

    def undo(self) -> None:
        self.commit_pending()
        self.document.undo()

    def redo(self) -> None:
        self.commit_pending()
        self.document.redo()

    def set_canvas(self, canvas: Canvas) -> None:
        """From now on there is a canvas."""
        self.canvas = canvas
        self.canvas_made.emit()

    def detach_from_file(self) -> None:
        """Keep the name, but no file: saving asks where to."""
        self._name, self.path = self.name, None
        self.file_status_changed.emit()

    def mark_saved_as(self, path: Path) -> None:
        self.path, self.recovered = path, False
        self.document.history.mark_saved()
        self.file_status_changed.emit()

    def show_states(self, states: dict[str, NodeState]) -> None:
        self.states.update(states)
        self.states_changed.emit(states)

    def show_picture(self, node: str, image: QImage) -> None:
        self.pictures[node] = image
        self.picture_changed.emit(node)

    def show_problems(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.problems_changed.emit()

    def close(self) -> None:
        self._end()

    def _on_changes(self, changes: tuple[Change, ...]) -> None:
        self.changed.emit(changes)
        if any(not isinstance(change, Touched) for change in changes):
            self.graph_changed.emit()
        self.file_status_changed.emit()
