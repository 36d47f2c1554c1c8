"""Moving the view, and choosing with a band."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtWidgets import QGraphicsItem, QRubberBand

from nodeforge.ui.graph_view.gestures.gesture import Gesture, Keys
from nodeforge.ui.graph_view.items.frame_item import FrameBox
from nodeforge.ui.graph_view.items.node_item import NodeBox

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.session import Item


class Pan(Gesture):
    """Middle drag, or Space and drag."""

    def __init__(self, desk, start: QPointF) -> None:
        super().__init__(desk, start)
        self._last = start

    def move(self, place: QPointF, keys: Keys) -> None:
        self.desk.viewer.pan_by(place - self._last)
        self._last = place


class Band(Gesture):
    """A rubber band: chooses, with Shift adds, with Ctrl takes away."""

    def __init__(self, desk, start: QPointF, keys: Keys) -> None:
        super().__init__(desk, start)
        self._before = set(desk.chosen())
        self._adds = bool(keys & Keys.ShiftModifier)
        self._takes = bool(keys & Keys.ControlModifier)
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, desk.viewer.viewport())

    def move(self, place: QPointF, keys: Keys) -> None:
        rect = QRect(self.start.toPoint(), place.toPoint()).normalized()
        self._band.setGeometry(rect)
        self._band.show()
        viewer = self.desk.viewer
        area = viewer.mapToScene(rect).boundingRect()
        found: set[Item] = {i for i in viewer.scene().items(area) if _within(i, area)}
        if self._adds:
            found |= self._before
        elif self._takes:
            found = self._before - found
        self.desk.choose(found)

    def finish(self, place: QPointF, keys: Keys) -> None:
        self._band.deleteLater()

    def click(self, keys: Keys) -> None:
        self._band.deleteLater()
        if not self._adds and not self._takes:
            self.desk.choose(())

    def cancel(self) -> None:
        self._band.deleteLater()
        self.desk.choose(self._before)


def _within(item: QGraphicsItem, area: QRectF) -> TypeGuard[NodeBox | FrameBox]:
    if isinstance(item, FrameBox):
        return area.contains(item.body())
    return isinstance(item, NodeBox) and area.intersects(item.body())


def clicked(chosen: set[Item], item: Item, keys: Keys) -> set[Item]:
    """What is chosen after a click on `item`: it alone, with Shift too, with Ctrl not."""
    if keys & Keys.ShiftModifier:
        return chosen | {item}
    if keys & Keys.ControlModifier:
        return chosen - {item}
    return {item}
