"""What all gestures share."""

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
    """From a press to the release, or to Escape.

    Args:
        desk: What the gesture works on.
        start: Where the press was, in pixels of the view.
    """

    def __init__(self, session: GraphSession, start: QPointF) -> None:
        self.session = session
        self.start = start
        self.moved = False

    def drag(self, place: QPointF, modifiers: Modifiers) -> None:
        """The mouse is at `place` now."""
        if not self.moved and (place - self.start).manhattanLength() < CLICK:
            return
        self.moved = True
        self.move(place, modifiers)

    def drop(self, place: QPointF, modifiers: Modifiers) -> None:
        """The button was let go."""
        if self.moved:
            self.finish(place, modifiers)
        else:
            self.click(modifiers)

    def move(self, place: QPointF, modifiers: Modifiers) -> None: ...

    def finish(self, place: QPointF, modifiers: Modifiers) -> None: ...

    def click(self, modifiers: Modifiers) -> None: ...

    def cancel(self) -> None:
        """As if it had not been begun."""

    def preview_items(self) -> Iterable[QGraphicsItem]:
        """What it shows while it lasts, besides nodes and links."""
        return ()
