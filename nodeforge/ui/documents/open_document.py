"""An open document: the workflow, its file, its canvas, and its run states and pictures."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from nodeforge.errors import RequestError
from nodeforge.graph.changes import Change, Touched
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.history import Edit
from nodeforge.graph.paths import join, split
from nodeforge.graph.planned import copy_id
from nodeforge.lint import Problem
from nodeforge.models import COMPANIONS
from nodeforge.ui.documents.node_state import NodeState

if TYPE_CHECKING:
    from nodeforge.canvas import Canvas
    from nodeforge.values.clips import ClipFacts


class OpenDocument(QObject):
    """A document that is open in a tab.

    Args:
        document: The workflow; views edit it through `perform`.
        path: The file; None until it is saved.
        name: The tab's title while there is no file.
        recovered: Whether it was recovered after a crash, and so counts as modified.
    """

    changed = Signal(tuple)
    """The `Change`s of an edit, an undo or a redo."""
    graph_changed = Signal()
    """The graph has changed; not emitted for changes of the canvas alone."""
    file_status_changed = Signal()
    """The file, the name or the modified state has changed."""
    states_changed = Signal(dict)
    """The changed states: node path to `NodeState`."""
    picture_changed = Signal(str)
    """The path of a node that has a new picture."""
    problems_changed = Signal()
    memory_needs_changed = Signal()
    """The memory needs of its models have changed."""
    refused = Signal(str)
    """The reason why an edit cannot be made."""
    commit_requested = Signal()
    """Views must commit pending edits now (an unfinished brush stroke, for example)."""
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
        self.job = ""
        """The id of the queued job whose workflow this is; saving puts it back into the queue."""
        self.granted: list[str] = []
        self.states: dict[str, NodeState] = {}
        self.pictures: dict[str, QImage] = {}
        self.clips: dict[str, ClipFacts] = {}
        """What there is to play of nodes whose results are videos or sounds."""
        self.beside: dict[str, QImage] = {}
        """What is shown left of the picture of nodes that compare two."""
        self.problems: list[Problem] = []
        self.companions: dict[str, dict[str, Any]] = {}
        """Files found beside denoisers that come alone, by node and port, as the lock has them."""
        self.auto_values: dict[str, dict[str, str]] = {}
        """What stands for values that are left to the model, by node and port."""
        self.memory_needs: dict[str, dict[str, dict[str, int]]] = {}
        """Node to the bytes that each network of its model takes: ``weights``, ``working``."""
        self.selection: list[str] = []
        self.last_run: dict[str, Any] | None = None
        """The graph of the last run, to render pictures of its steps."""
        self.current_effects: set[str] = set()
        """Nodes that save with every run, and would save what they have saved."""
        self.failed_graph: dict[str, Any] | None = None
        """The graph of the last run that failed: its errors stay until the graph changes."""
        self.saved_files: dict[str, list[Path]] = {}
        """The files of the last run, by the node that saved them."""
        self.queued_seeds: dict[str, int] = {}
        """Seeds of the last run that was queued, by their key in `View.seeds`."""
        self.steps: dict[str, int] = {}
        """Number of steps of the last run, by node."""
        self.copies: dict[str, tuple[int, int]] = {}
        """Of nodes behind a list: which of their results is shown, from 1, and of how many."""
        self.step_pictures: dict[str, dict[int, QImage]] = {}
        """Previews of the last run, by node and step."""
        self.canvas: Canvas | None = None
        """The canvas, if there is one; its edits are in the document's history."""
        self.generations: list[dict[str, Any]] = []
        """Generations accepted on the canvas, oldest first."""
        self.project_extra: dict[str, Any] = {}
        """Unknown fields of the project file, kept for saving."""
        self.has_pending_edit: Callable[[], bool] = lambda: False
        """Whether there is a pending edit that `commit_pending` would finish."""
        self._unsaved_setting = False
        """Whether a setting was changed that is saved with the document but is no undo step."""
        self._end = document.subscribe(self._on_changes)

    def shown_copy(self, node: str) -> str:
        """The result of `node` that is shown, as the engine calls it."""
        return copy_id(node, *self.copies.get(node, (1, 1)))

    @property
    def run_id(self) -> str:
        """Names the workflow in runs: its file, so that later sessions know its last run."""
        return str(self.path) if self.path else self.id

    @property
    def name(self) -> str:
        if self.path is None:
            return self._name
        return self.path.name.removesuffix(".json").removesuffix(".nforge")

    @property
    def modified(self) -> bool:
        return self.recovered or self._unsaved_setting or self.document.history.modified

    def perform(self, edit: Edit) -> bool:
        """Make `edit`; if it cannot be made, emit `refused` and return False."""
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
        """Commit pending edits of views, as a brush stroke on the canvas."""
        self.commit_requested.emit()

    def undo(self) -> None:
        self.commit_pending()
        self.document.undo()

    def redo(self) -> None:
        self.commit_pending()
        self.document.redo()

    def set_canvas(self, canvas: Canvas) -> None:
        """Add a canvas to the document."""
        self.canvas = canvas
        self.canvas_made.emit()

    def detach_from_file(self) -> None:
        """Forget the file but keep the name, so that saving asks for a path."""
        self._name, self.path = self.name, None
        self.file_status_changed.emit()

    def mark_saved_as(self, path: Path) -> None:
        self.path, self.job = path, ""
        self.mark_saved()
        self.file_status_changed.emit()

    def mark_saved(self) -> None:
        """Nothing of it is unsaved from now on."""
        self.recovered = self._unsaved_setting = False
        self.document.history.mark_saved()

    def set_view_setting(self, name: str, value: Any, *, unsaved: bool = True) -> None:
        """Keep a setting of a view with the document: no undo step, but saved with it.

        Args:
            name: The field of `View.extra`.
            value: Plain JSON.
            unsaved: Whether the document counts as modified.
        """
        self.document.view.extra[name] = value
        if unsaved:
            self._unsaved_setting = True
            self.changed.emit(())
            self.file_status_changed.emit()

    def show_states(self, states: dict[str, NodeState]) -> None:
        self.states.update(states)
        self.states_changed.emit(states)

    def show_beside(self, node: str, image: QImage) -> None:
        """Show `image` left of the picture of a node that compares two."""
        self.beside[node] = image
        if node in self.pictures:
            self.picture_changed.emit(node)

    def set_clip(self, node: str, facts: ClipFacts | None) -> None:
        """Set what there is to play of a node; its picture is shown next."""
        if facts is None:
            self.clips.pop(node, None)
        else:
            self.clips[node] = facts

    def show_picture(self, node: str, image: QImage) -> None:
        self.pictures[node] = image
        self.picture_changed.emit(node)

    def is_out_of_date(self, node: str) -> bool:
        """Whether a node has a picture that a run would make anew."""
        state = self.states.get(node)
        waits = state is not None and state.kind == "will_run"
        return waits and node in self.pictures and node not in self.current_effects

    def saved_file(self, node: str) -> Path | None:
        """The file that holds a node's picture: its own, or that of a node which it feeds."""
        files = self.saved_batch(node)
        if not files:
            return None
        return files[-1 if node in self.saved_files else 0]  # a node that saves shows the last

    def saved_batch(self, node: str) -> list[Path]:
        """All files that hold a node's pictures, in their order."""
        if node in self.saved_files:
            return self.saved_files[node]
        path, name = split(node)
        try:
            links = self.document.group(path).links.items()
        except NoSuchNodeError:  # it is gone with its subgraph
            return []
        fed = [join(path, end.node) for end, start in links if start.node == name]
        saved = (self.saved_files[each] for each in fed if each in self.saved_files)
        return next(filter(None, saved), [])

    def show_problems(
        self, problems: list[Problem], auto_values: dict[str, dict[str, str]]
    ) -> None:
        """Show what is wrong, and what stands for values that are left to the model."""
        self.problems, self.auto_values = problems, auto_values
        self.problems_changed.emit()

    @property
    def meaning(self) -> dict[str, Any]:
        """What names of files mean in the workflow: arguments of `RunRequest` and of questions."""
        document = self.document
        return {
            "assets": dict(document.assets),
            "granted": list(self.granted),
            "lock": dict(document.lock),
        }

    @property
    def auto_texts(self) -> dict[str, dict[str, str]]:
        """What stands for values that are left open, by node and port: settings, files found."""
        texts = {node: dict(ports) for node, ports in self.auto_values.items()}
        for node, ports in self.companions.items():
            named = {port: str(entry["name"]) for port, entry in ports.items()}
            texts[node] = texts.get(node, {}) | named
        return texts

    def show_companions(self, found: dict[str, dict[str, Any]]) -> None:
        """Show and lock the files found beside denoisers, by node and port.

        The lock is no edit: it says what the workflow is run with, and is saved with it.
        """
        if found == self.companions:
            return
        self.companions = found
        before = self.document.lock.get(COMPANIONS)
        known = before if isinstance(before, dict) else {}  # nodes that are not run now keep theirs
        if known or found:
            self.document.lock[COMPANIONS] = known | found
        self.problems_changed.emit()

    def close(self) -> None:
        self._end()

    def _on_changes(self, changes: tuple[Change, ...]) -> None:
        self.changed.emit(changes)
        if any(not isinstance(change, Touched) for change in changes):
            self.graph_changed.emit()
        self.file_status_changed.emit()
