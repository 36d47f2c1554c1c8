"""What lies under the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.ui.graph_view.items.frame_item import FrameBox
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.port_item import PortDot


class Hit(NamedTuple):
    """What lies under the mouse: `item`, and the port on it."""

    item: NodeBox | FrameBox | LinkLine | None = None
    dot: PortDot | None = None
    place: QPointF = QPointF()
    """In the item's coordinates."""


def find(items: Sequence[QGraphicsItem], place: QPointF, *, ports: bool) -> Hit:
    """What is meant by a press at `place`.

    Args:
        items: All that is near, the upper ones first.
        place: In the scene.
        ports: Whether ports can be aimed at.
    """
    boxes = [item for item in items if isinstance(item, NodeBox)]
    if ports:
        for box in boxes:
            if dot := box.dot_at(place - box.pos()):
                return Hit(box, dot, place - box.pos())
    for box in boxes:
        if box.body().contains(place):
            return Hit(box, None, place - box.pos())
    frames = [item for item in items if isinstance(item, FrameBox) if item.body().contains(place)]
    if frames and frames[0].handle_at(place - frames[0].pos()):
        return Hit(frames[0], None, place - frames[0].pos())
    for item in items:
        if isinstance(item, LinkLine) and item.isVisible():
            return Hit(item, None, place)
    return Hit(frames[0], None, place - frames[0].pos()) if frames else Hit(place=place)
