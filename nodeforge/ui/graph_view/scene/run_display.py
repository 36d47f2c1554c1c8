"""Run states, thumbnails and problems of nodes, kept by path, also for nodes not shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage

from nodeforge.graph.model import Node, Subgraph
from nodeforge.graph.ports import innermost_input
from nodeforge.ui.documents.node_problems import NO_PROBLEMS, NodeProblems
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.status_icons import NO_STATE, NodeState

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.scene.graph_scene import GraphScene

LEAST, MOST = 48.0, 640.0
"""Minimum and maximum height of a thumbnail."""
HOLD = 1500
"""Milliseconds for which the "done" icon is shown."""
FADES = (0.75, 0.5, 0.25)
FADE = 40
"""Milliseconds per step of the fade-out."""
RESTING = {"will_run", "cached", "on_disk"}


class RunDisplay:
    """Run states, thumbnails and problems; not part of the document, not undoable."""

    def __init__(self, scene: GraphScene) -> None:
        self._scene = scene
        self._states: dict[str, NodeState] = {}
        self._ticked: dict[str, NodeState] = {}
        """States to show once the "done" icon has faded."""
        self._fading = 0
        self._tick = QTimer(scene.graphics_scene, singleShot=True)
        self._tick.timeout.connect(self._fade)
        self._thumbs: dict[str, QImage] = {}
        self._beside: dict[str, QImage] = {}
        self._clip_lengths: dict[str, str] = {}
        self._problems: dict[str, NodeProblems] = {}
        self.auto_values: Mapping[str, Mapping[str, str]] = {}
        """What stands for values that are left to the model, by node and port."""
        self.thumb_heights: dict[str, float] = {}

    def state(self, path: str) -> NodeState:
        return self._states.get(path, NO_STATE)

    def thumb_shape(self, path: str) -> float | None:
        """Aspect ratio (height / width) of a node's thumbnail, None without one."""
        thumb = self._thumbs.get(path)
        return thumb.height() / thumb.width() if thumb else None

    def apply_to(self, node_item: NodeItem) -> None:
        """Set state, problem and thumbnail of a new node item."""
        node_item.state = self.state(node_item.path)
        node_item.problems = self._problems.get(node_item.path, NO_PROBLEMS)
        path = node_item.path
        length = self._clip_lengths.get(path, "")
        node_item.set_thumb(self._thumbs.get(path), self._beside.get(path), length)

    def show_states(self, states: Mapping[str, NodeState]) -> None:
        """Set the states of these nodes; others are unchanged."""
        for path, state in states.items():
            before = self.state(path)
            if before.kind == "done" and path in self._ticked and state.kind in RESTING:
                self._ticked[path] = state
                continue
            self._ticked.pop(path, None)
            if state.kind == "done":
                if self._fading:
                    self._settle()
                self._ticked[path] = state
                if not self._tick.isActive():
                    self._tick.start(HOLD)
            if state != before:
                self._states[path] = state
                self._show_state(path, before, state)

    def _fade(self) -> None:
        """Fade out the "done" icons by one step."""
        if self._fading < len(FADES):
            for path in self._ticked:
                if (
                    node_item := self._scene.node_items.get(path)
                ) and node_item.state.kind == "done":
                    node_item.fade = FADES[self._fading]
                    node_item.update_texts()
            self._fading += 1
            self._tick.start(FADE)
            return
        self._settle()

    def _settle(self) -> None:
        """Show the states that follow "done"."""
        self._tick.stop()
        after, self._ticked, self._fading = self._ticked, {}, 0
        for path, state in after.items():
            before, self._states[path] = self.state(path), state
            self._show_state(path, before, state)

    def _show_state(self, path: str, before: NodeState, state: NodeState) -> None:
        node_item = self._scene.node_items.get(path)
        if node_item is None:
            return
        node_item.state, node_item.fade = state, 1.0
        if bool(state.message) != bool(before.message):
            self._scene.update_node(path)
        elif _said(state) != _said(before):
            node_item.update_texts()
        else:
            node_item.update()

    def show_problems(self, problems: Mapping[str, NodeProblems]) -> None:
        """Show problems at these nodes and no others."""
        before, self._problems = self._problems, dict(problems)
        for path in before.keys() | problems.keys():
            node_item = self._scene.node_items.get(path)
            if node_item is not None and before.get(path) != problems.get(path):
                node_item.problems = problems.get(path, NO_PROBLEMS)
                node_item.update_texts()

    def show_auto_values(self, values: Mapping[str, Mapping[str, str]]) -> None:
        """Show what stands for values that are left to the model."""
        before, self.auto_values = self.auto_values, values
        changed = (path for path in {*before, *values} if before.get(path) != values.get(path))
        for path in {self._scene.shown_at(path) for path in changed}:
            if path in self._scene.node_items:
                self._scene.update_node(path)

    def auto_values_of(self, path: str, node: Node) -> Mapping[str, str]:
        """What stands for values of a node, or of a subgraph's ports, left to the model."""
        if not isinstance(node, Subgraph):
            return self.auto_values.get(path, {})
        inner = {port: innermost_input(node, path, port) for port in node.inputs}
        told = {
            port: self.auto_values.get(end.node, {}).get(end.port) for port, end in inner.items()
        }
        return {port: text for port, text in told.items() if text}

    def show_thumbnail(
        self, path: str, image: QImage | None, beside: QImage | None = None, clip_length: str = ""
    ) -> None:
        """Set or remove a thumbnail, what is shown left of the mouse there, and its badge."""
        self._clip_lengths[path] = clip_length
        self._beside.pop(path, None)
        if beside is not None and not beside.isNull():
            self._beside[path] = beside
        before = self._thumbs.pop(path, None)
        if image is not None and not image.isNull():
            self._thumbs[path] = image
        node_item = self._scene.node_items.get(path)
        if node_item is None:
            return
        after = self._thumbs.get(path)
        node_item.set_thumb(after, self._beside.get(path), clip_length)
        if (before and before.size()) != (after and after.size()):
            self._scene.update_node(path)
        else:
            node_item.update()

    def resize_thumbnail(self, path: str, height: float) -> None:
        """Set the height of a thumbnail, for this session."""
        self.thumb_heights[path] = max(LEAST, min(height, MOST))
        self._scene.update_node(path)


def _said(state: NodeState) -> tuple[str, float | None, str]:
    """The parts of a state that change texts, not only painting."""
    return state.kind, state.seconds, state.message
