"""Shows in a document what a run of it does: states of nodes, previews, pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.graph.planned import number_of, original
from nodeforge.ui.documents.node_state import NodeState
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.moving_previews import MovingPreviews
from nodeforge.ui.running.reasons import reason_text
from nodeforge.ui.running.result_clips import split_frames
from nodeforge.ui.running.result_pictures import ResultPictures, upscaled_preview

_STATE_OF_SOURCE = {Source.COMPUTED: "done", Source.MEMORY: "cached", Source.DISK: "on_disk"}


class RunDisplay(QObject):
    """Shows events of runs in the documents that they are of.

    Args:
        workspace: The open documents.
        pictures: Fetches results.
    """

    stepped = Signal(object, str)
    """The document and the node that has a new step preview."""

    def __init__(self, workspace: Workspace, pictures: ResultPictures) -> None:
        super().__init__()
        self._workspace, self._pictures = workspace, pictures
        self._shown: dict[str, str] = {}
        """By document, the run that it shows: of several, the one that began last."""
        self.moving = MovingPreviews()
        workspace.closed.connect(self.moving.stop)
        workspace.closed.connect(lambda opened: self._shown.pop(opened.id, None))

    def begin(self, opened: OpenDocument, run: str) -> None:
        """Show a run from now on, and nothing that one of before has left.

        Its files and errors go; of one that still runs nothing more is shown.
        """
        if opened.id in self._shown:
            self._forget_running(opened)
        self._shown[opened.id] = run
        opened.saved_files.clear()
        opened.copies.clear()
        old = {path: NodeState() for path, state in opened.states.items() if state.kind == "error"}
        opened.show_states(old)

    def show(self, opened: OpenDocument, event: events.Event, graph: dict[str, Any] | None) -> None:
        """Update the document's states and pictures from an event of the run that it shows.

        Args:
            graph: What is run, as it was queued.
        """
        if self._shown.get(opened.id, event.run) != event.run:
            return
        node = original(getattr(event, "node", ""))
        match event:
            case events.Started():
                opened.step_pictures.pop(node, None)
                opened.set_clip(node, None)
                self.moving.stop(opened, node)
                reason = reason_text(self._workspace, opened, event.reason)
                share = share_of_copies(event.node, 0.0)
                opened.show_states({node: NodeState("running", share or None, reason=reason)})
            case events.Progress():
                opened.steps[node] = event.of
                share = share_of_copies(event.node, (event.step + event.part) / max(1, event.of))
                known = opened.states.get(node, NodeState())
                state = NodeState("running", share, reason=known.reason)
                opened.show_states({node: state})
            case events.Preview() if event.frames > 1:
                # its steps are not kept here: the worker has them, and they move
                frames = preview_frames(event)
                due = self.moving.play(opened, node, frames, event.rate)
                opened.show_picture(node, due)
                self.stepped.emit(opened, node)
            case events.Preview():
                large = preview_image(event)
                opened.step_pictures.setdefault(node, {})[event.step] = large
                opened.show_picture(node, large)
                self.stepped.emit(opened, node)
            case events.Finished():
                kind = _STATE_OF_SOURCE[event.source]
                _show_copies(opened, [event.node])
                self.moving.stop(opened, node)
                opened.show_states({node: NodeState(kind, seconds=event.seconds)})
                self._pictures.fetch(opened, node)
            case events.Reused():
                opened.show_states(
                    {
                        original(copy): NodeState(_STATE_OF_SOURCE[source])
                        for copy, source in event.nodes.items()
                    }
                )
                _show_copies(opened, event.nodes)
                for path in dict.fromkeys(map(original, event.nodes)):
                    self._pictures.fetch(opened, path)
            case events.Saved():
                opened.saved_files.setdefault(node, []).append(Path(event.path))
                self._pictures.show_saved_file(opened, node, event.path)
            case events.Failed() if node:
                opened.failed_graph = graph
                message = (
                    f"{event.error.fact} {event.error.way_out}".strip()
                )  # the place is the node
                state = NodeState("error", message=message[:1].upper() + message[1:])
                opened.show_states({node: state})
                self._forget_running(opened)
            case events.Failed() | events.RunCancelled() | events.WorkerDied():
                self._forget_running(opened)

    def is_shown(self, opened: OpenDocument, run: str) -> bool:
        return self._shown.get(opened.id) == run

    def reset(self, opened: OpenDocument, run: str) -> None:
        """Mark running nodes as "will run" after a run has ended early, if it is shown."""
        if self.is_shown(opened, run):
            self._forget_running(opened)

    def _forget_running(self, opened: OpenDocument) -> None:
        self.moving.stop(opened)
        opened.show_states(
            {
                path: replace(state, kind="will_run", progress=None)
                for path, state in opened.states.items()
                if state.kind == "running"
            }
        )


def _show_copies(opened: OpenDocument, copies: Iterable[str]) -> None:
    """Have the last of each node's `copies` shown."""
    for copy in copies:
        number, of = number_of(copy)
        if of > 1:
            opened.copies[original(copy)] = number, of


def share_of_copies(copy: str, share: float) -> float:
    """How much of a node is done, of whose copies behind a list `share` of `copy` is."""
    number, of = number_of(copy)
    return (number - 1 + share) / of


def preview_image(event: events.Preview) -> QImage:
    """The picture of a step, of a video its first, as large as it is shown."""
    size = event.width, event.height
    image = QImage(event.pixels, *size, size[0] * 3, QImage.Format.Format_RGB888)
    return upscaled_preview(image)


def preview_frames(event: events.Preview) -> list[QImage]:
    """The pictures of a step of a video, as large as they are shown."""
    images = split_frames(event.pixels, event.frames, event.height, event.width)
    return [upscaled_preview(image) for image in images]
