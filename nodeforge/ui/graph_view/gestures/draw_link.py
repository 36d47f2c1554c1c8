"""Drawing links, and pulling them off."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.graph.edits import GraphEdit, Link, Together, Unlink
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Keys
from nodeforge.ui.graph_view.items.link_item import LinkInHand, LinkLine
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.port_item import PortDot
from nodeforge.ui.graph_view.session import ends


class DrawLink(Gesture):
    """From a port; from an input that is linked, its link is pulled off and moved."""

    def __init__(self, desk, start: QPointF, dot: PortDot) -> None:
        super().__init__(desk, start)
        self._pulled = _last_line(dot) if dot.is_input else None
        self._dot: PortDot = self._pulled.out_of if self._pulled else dot
        self._target: PortDot | None = None
        self._reason: str | None = None
        self._hand: LinkInHand | None = None

    def move(self, place: QPointF, keys: Keys) -> None:
        if self._hand is None:
            self._begin()
        self._aim(place)
        end = self._target.centre() if self._target else self.desk.viewer.at(place)
        points = (end, self._dot.centre()) if self._dot.is_input else (self._dot.centre(), end)
        refused = self.desk.theme.error if self._reason else None
        assert self._hand is not None
        self._hand.draw(*points, refused)
        self.desk.hint(self._reason or "", place)

    def _begin(self) -> None:
        self._hand = LinkInHand(self.desk.theme.port_colour(self._dot.face.type))
        self.desk.viewer.scene().addItem(self._hand)
        if self._pulled is not None:
            self._pulled.setVisible(False)

    def _aim(self, place: QPointF) -> None:
        """Find the port meant, and whether the link may be; asked once for each port."""
        dot = self._port_at(place)
        if dot is self._target:
            return
        if self._target is not None:
            self._target.box.hover(None)
        self._target = dot
        self._reason = None
        if dot is not None:
            self._reason = self.desk.may_link(self._dot, dot)
            dot.box.hover(dot.face)

    def _port_at(self, place: QPointF) -> PortDot | None:
        """The port under the mouse; on the body of a node, the first free one that fits."""
        hit = self.desk.viewer.hit(place.toPoint())
        if hit.dot is not None:
            return hit.dot if hit.dot is not self._dot else None
        if not isinstance(hit.item, NodeBox) or hit.item is self._dot.box:
            return None
        dots = hit.item.outputs if self._dot.is_input else hit.item.inputs
        fitting = [dot for dot in dots if self.desk.may_link(self._dot, dot) is None]
        free = [dot for dot in fitting if dot.face.many or not dot.connected_pipes]
        return next(iter([*free, *fitting, *dots]), None)

    def finish(self, place: QPointF, keys: Keys) -> None:
        self._aim(place)
        target, reason, pulled = self._target, self._reason, self._pulled
        self._put_away()
        if reason is not None:
            self.desk.refuse(reason)
        elif target is not None:
            self._link(target)
        elif pulled is not None:
            self.desk.ask(Unlink(pulled.end))
        else:
            self.desk.offer_nodes(self._dot, place)

    def _link(self, target: PortDot) -> None:
        output, end = ends(self.desk.document, self._dot, target)
        if self._pulled is None:
            self.desk.ask(Link(output, end))
            return
        old = self._pulled.end
        if (end.node, end.port) == (old.node, old.port):
            return
        edits: list[GraphEdit] = [Unlink(old), Link(output, end)]
        self.desk.ask(Together(f"move link to {end}", edits))

    def _put_away(self) -> None:
        if self._target is not None:
            self._target.box.hover(None)
        if self._hand is not None:
            self.desk.viewer.scene().removeItem(self._hand)
            self._hand = None
        if self._pulled is not None:
            self._pulled.setVisible(True)
        self.desk.hint("")

    def click(self, keys: Keys) -> None:
        self.desk.choose({self._dot.box})

    def cancel(self) -> None:
        self._put_away()

    def live_items(self) -> Iterable[QGraphicsItem]:
        return (self._hand,) if self._hand is not None else ()


def _last_line(dot: PortDot) -> LinkLine | None:
    return max(dot.connected_pipes, key=lambda line: line.end.item or 0, default=None)
