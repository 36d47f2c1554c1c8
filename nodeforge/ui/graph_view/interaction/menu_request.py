"""What a menu was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF


@dataclass(frozen=True)
class MenuRequest:
    """Where a menu was asked for.

    Args:
        node: The node's path, or empty.
        frame: The backdrop's or note's key, or empty.
        link: Whether it was on a link, which is chosen then.
        place: In the scene.
        screen: In pixels of the screen.
    """

    node: str
    frame: str
    link: bool
    place: QPointF
    screen: QPoint
