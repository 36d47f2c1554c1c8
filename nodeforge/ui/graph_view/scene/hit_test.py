"""Hit test: finds the item and port at a position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.ui.graph_view.items.frame_item import FrameItem
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.port_item import GraphPortItem


class Hit(NamedTuple):
    """The item at a position, and the port on it."""

    item: NodeItem | FrameItem | LinkItem | None = None
    port_item: GraphPortItem | None = None
    place: QPointF = QPointF()
    """In the item's coordinates."""


def find_hit(items: Sequence[QGraphicsItem], place: QPointF, *, ports: bool) -> Hit:
    """Find the item that a press at `place` acts on.

    Args:
        items: Items near the position, topmost first.
        place: The position, scene coordinates.
        ports: Whether to test ports.
    """
    node_items = [item for item in items if isinstance(item, NodeItem)]
    if ports:
        for node_item in node_items:
            if port_item := node_item.port_item_at(place - node_item.pos()):
                return Hit(node_item, port_item, place - node_item.pos())
    for node_item in node_items:
        if node_item.body().contains(place):
            return Hit(node_item, None, place - node_item.pos())
    frames = [item for item in items if isinstance(item, FrameItem) if item.body().contains(place)]
    if frames and frames[0].handle_at(place - frames[0].pos()):
        return Hit(frames[0], None, place - frames[0].pos())
    for item in items:
        if isinstance(item, LinkItem) and item.isVisible():
            return Hit(item, None, place)
    return Hit(frames[0], None, place - frames[0].pos()) if frames else Hit(place=place)
