"""Base class of mouse gestures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QGraphicsItem

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.session import GraphSession

CLICK = 4.0
"""A press that moves less than this (pixels) is a click."""

Modifiers = Qt.KeyboardModifier


class Gesture:
    """A gesture, from a mouse press to the release or Escape.

    Args:
        session: The graph session.
        start: The position of the press, view pixels.
    """

    def __init__(self, session: GraphSession, start: QPointF) -> None:
        self.session = session
        self.start = start
        self.moved = False

    def drag(self, place: QPointF, modifiers: Modifiers) -> None:
        """Handle a mouse move."""
        if not self.moved and (place - self.start).manhattanLength() < CLICK:
            return
        self.moved = True
        self.move(place, modifiers)

    def drop(self, place: QPointF, modifiers: Modifiers) -> None:
        """Handle the release of the button."""
        if self.moved:
            self.finish(place, modifiers)
        else:
            self.click(modifiers)

    def move(self, place: QPointF, modifiers: Modifiers) -> None: ...

    def finish(self, place: QPointF, modifiers: Modifiers) -> None: ...

    def click(self, modifiers: Modifiers) -> None: ...

    def cancel(self) -> None:
        """Undo the effects of the gesture."""

    def preview_items(self) -> Iterable[QGraphicsItem]:
        """Temporary items that the gesture shows."""
        return ()
