"""Cutting links with a stroke."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPainterPathStroker
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.graph.edits import Together, Unlink
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Keys
from nodeforge.ui.graph_view.items.link_item import Knife, LinkLine


class CutLinks(Gesture):
    """A stroke with Ctrl and the right button: every link it crosses goes."""

    def __init__(self, desk, start: QPointF) -> None:
        super().__init__(desk, start)
        self._knife: Knife | None = None
        self._stroke = QPainterPath(desk.viewer.at(start))

    def move(self, place: QPointF, keys: Keys) -> None:
        if self._knife is None:
            self._knife = Knife(self.desk.theme.error)
            self.desk.viewer.scene().addItem(self._knife)
        self._stroke.lineTo(self.desk.viewer.at(place))
        self._knife.setPath(self._stroke)
        crossed = set(self._crossed())
        for line in self.desk.picture.lines.values():
            line.mark(line in crossed)

    def _crossed(self) -> list[LinkLine]:
        stroker = QPainterPathStroker()
        stroker.setWidth(1 / self.desk.viewer.zoom)
        blade = stroker.createStroke(self._stroke)
        near = self.desk.viewer.scene().items(blade.boundingRect())
        return [i for i in near if isinstance(i, LinkLine) and i.shape().intersects(blade)]

    def finish(self, place: QPointF, keys: Keys) -> None:
        ends = [line.end for line in self._crossed()]
        self.cancel()
        if ends:
            what = "cut a link" if len(ends) == 1 else f"cut {len(ends)} links"
            self.desk.ask(Together(what, [Unlink(end) for end in ends]))

    def cancel(self) -> None:
        for line in self.desk.picture.lines.values():
            line.mark(False)
        if self._knife is not None:
            self.desk.viewer.scene().removeItem(self._knife)
            self._knife = None

    def live_items(self) -> Iterable[QGraphicsItem]:
        return (self._knife,) if self._knife is not None else ()
