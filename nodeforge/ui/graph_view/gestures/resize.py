"""Dragging a corner: of the picture in a node, or of a frame."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from nodeforge.graph.edits import SetEntry
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Keys
from nodeforge.ui.graph_view.items.frame_item import FrameBox, entry_with
from nodeforge.ui.graph_view.items.node_item import NodeBox


class ResizePicture(Gesture):
    """How large a node shows its picture; no part of the document."""

    def __init__(self, desk, start: QPointF, box: NodeBox) -> None:
        super().__init__(desk, start)
        self._box = box
        self._before = box.face.thumb[3] if box.face.thumb else 0.0

    def move(self, place: QPointF, keys: Keys) -> None:
        shift = (place - self.start).y() / self.desk.viewer.zoom
        self.desk.picture.run.resize_thumbnail(self._box.path, self._before + shift)

    def cancel(self) -> None:
        self.desk.picture.run.resize_thumbnail(self._box.path, self._before)


class ResizeFrame(Gesture):
    """The lower right corner of a backdrop or note."""

    def __init__(self, desk, start: QPointF, frame: FrameBox) -> None:
        super().__init__(desk, start)
        self._frame = frame
        self._before = frame.body()

    def move(self, place: QPointF, keys: Keys) -> None:
        shift = (place - self.start) / self.desk.viewer.zoom
        self._frame.resize_to(
            round(self._before.width() + shift.x()), round(self._before.height() + shift.y())
        )

    def finish(self, place: QPointF, keys: Keys) -> None:
        frame = self._frame
        what = f"resize {frame.table.removesuffix('s')}"
        entry = entry_with(frame.entry, frame.body())
        self.desk.ask(SetEntry(frame.table, frame.path, entry, what=what))

    def click(self, keys: Keys) -> None:
        self.desk.choose({self._frame})

    def cancel(self) -> None:
        self._frame.resize_to(self._before.width(), self._before.height())
