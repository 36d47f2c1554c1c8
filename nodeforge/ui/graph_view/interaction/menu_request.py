"""A request for the graph view's context menu."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF


@dataclass(frozen=True)
class MenuRequest:
    """The item and position for which the context menu was requested.

    Args:
        node: The node's path, or empty.
        port: The node's input or parameter there, or empty.
        frame: The backdrop's or note's key, or empty.
        link: Whether it was on a link, which is then selected.
        place: The position, scene coordinates.
        screen: Global screen position.
    """

    node: str
    port: str
    frame: str
    link: bool
    place: QPointF
    screen: QPoint
