"""Gestures that pan the view and select with a rubber band."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtWidgets import QGraphicsItem, QRubberBand

from nodeforge.ui.graph_view.gestures.gesture import Gesture, Modifiers
from nodeforge.ui.graph_view.items.frame_item import FrameItem
from nodeforge.ui.graph_view.items.node_item import NodeItem

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.session import Item


class Pan(Gesture):
    """Pans the view: middle drag, or Space and drag."""

    def __init__(self, session, start: QPointF) -> None:
        super().__init__(session, start)
        self._last = start

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        self.session.viewer.pan_by(place - self._last)
        self._last = place


class RubberBand(Gesture):
    """Rubber band selection; Shift adds, Ctrl removes."""

    def __init__(self, session, start: QPointF, modifiers: Modifiers) -> None:
        super().__init__(session, start)
        self._before = set(session.selected_items())
        self._adds = bool(modifiers & Modifiers.ShiftModifier)
        self._takes = bool(modifiers & Modifiers.ControlModifier)
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, session.viewer.viewport())

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        rect = QRect(self.start.toPoint(), place.toPoint()).normalized()
        self._band.setGeometry(rect)
        self._band.show()
        viewer = self.session.viewer
        area = viewer.mapToScene(rect).boundingRect()
        found: set[Item] = {i for i in viewer.scene().items(area) if _within(i, area)}
        if self._adds:
            found |= self._before
        elif self._takes:
            found = self._before - found
        self.session.select_items(found)

    def finish(self, place: QPointF, modifiers: Modifiers) -> None:
        self._band.deleteLater()

    def click(self, modifiers: Modifiers) -> None:
        self._band.deleteLater()
        if not self._adds and not self._takes:
            self.session.select_items(())

    def cancel(self) -> None:
        self._band.deleteLater()
        self.session.select_items(self._before)


def _within(item: QGraphicsItem, area: QRectF) -> TypeGuard[NodeItem | FrameItem]:
    if isinstance(item, FrameItem):
        return area.contains(item.body())
    return isinstance(item, NodeItem) and area.intersects(item.body())


def selection_after_click(chosen: set[Item], item: Item, modifiers: Modifiers) -> set[Item]:
    """The selection after a click on `item`: it alone; Shift adds, Ctrl removes it."""
    if modifiers & Modifiers.ShiftModifier:
        return chosen | {item}
    if modifiers & Modifiers.ControlModifier:
        return chosen - {item}
    return {item}
