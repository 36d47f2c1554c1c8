"""Gestures that resize thumbnails and frames."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from nodeforge.graph.edits import SetEntry
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Modifiers
from nodeforge.ui.graph_view.items.frame_item import FrameItem, entry_with
from nodeforge.ui.graph_view.items.node_item import NodeItem


class ResizePicture(Gesture):
    """Resizes a node's thumbnail; not stored in the document."""

    def __init__(self, session, start: QPointF, node_item: NodeItem) -> None:
        super().__init__(session, start)
        self._box = node_item
        self._before = node_item.layout.thumb[3] if node_item.layout.thumb else 0.0

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        shift = (place - self.start).y() / self.session.viewer.zoom
        self.session.scene.run_display.resize_thumbnail(self._box.path, self._before + shift)

    def cancel(self) -> None:
        self.session.scene.run_display.resize_thumbnail(self._box.path, self._before)


class ResizeFrame(Gesture):
    """Resizes a backdrop or note by its lower right corner."""

    def __init__(self, session, start: QPointF, frame: FrameItem) -> None:
        super().__init__(session, start)
        self._frame = frame
        self._before = frame.body()

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        shift = (place - self.start) / self.session.viewer.zoom
        self._frame.resize_to(
            round(self._before.width() + shift.x()), round(self._before.height() + shift.y())
        )

    def finish(self, place: QPointF, modifiers: Modifiers) -> None:
        frame = self._frame
        what = f"resize {frame.table.removesuffix('s')}"
        entry = entry_with(frame.entry, frame.body())
        self.session.perform(SetEntry(frame.table, frame.path, entry, what=what))

    def click(self, modifiers: Modifiers) -> None:
        self.session.select_items({self._frame})

    def cancel(self) -> None:
        self._frame.resize_to(self._before.width(), self._before.height())
