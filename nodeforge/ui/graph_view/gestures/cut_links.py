"""The Cut links gesture."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPainterPathStroker
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.graph.edits import Together, Unlink
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Modifiers
from nodeforge.ui.graph_view.items.link_item import CutStroke, LinkItem


class CutLinks(Gesture):
    """Ctrl and right drag: removes all links that the stroke crosses."""

    def __init__(self, session, start: QPointF) -> None:
        super().__init__(session, start)
        self._stroke_item: CutStroke | None = None
        self._stroke = QPainterPath(session.viewer.to_scene(start))

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        if self._stroke_item is None:
            self._stroke_item = CutStroke(self.session.theme.error)
            self.session.viewer.scene().addItem(self._stroke_item)
        self._stroke.lineTo(self.session.viewer.to_scene(place))
        self._stroke_item.setPath(self._stroke)
        crossed = set(self._crossed())
        for line in self.session.scene.link_items.values():
            line.set_highlighted(line in crossed)

    def _crossed(self) -> list[LinkItem]:
        stroker = QPainterPathStroker()
        stroker.setWidth(1 / self.session.viewer.zoom)
        blade = stroker.createStroke(self._stroke)
        near = self.session.viewer.scene().items(blade.boundingRect())
        return [i for i in near if isinstance(i, LinkItem) and i.shape().intersects(blade)]

    def finish(self, place: QPointF, modifiers: Modifiers) -> None:
        ends = [line.end for line in self._crossed()]
        self.cancel()
        if ends:
            what = "cut a link" if len(ends) == 1 else f"cut {len(ends)} links"
            self.session.perform(Together(what, [Unlink(end) for end in ends]))

    def cancel(self) -> None:
        for line in self.session.scene.link_items.values():
            line.set_highlighted(False)
        if self._stroke_item is not None:
            self.session.viewer.scene().removeItem(self._stroke_item)
            self._stroke_item = None

    def preview_items(self) -> Iterable[QGraphicsItem]:
        return (self._stroke_item,) if self._stroke_item is not None else ()
