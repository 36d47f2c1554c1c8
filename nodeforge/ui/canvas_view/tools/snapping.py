"""Guides, and places that a drag clings to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QObject, QPointF, Signal

from nodeforge.canvas import Canvas

REACH = 8.0
"""Pixels of the view within which a place clings."""


class Guide(NamedTuple):
    """One guide: whether it runs across, and which of those."""

    across: bool
    number: int


class Snap(QObject):
    """Guides of one canvas; corners of selections, boxes and layers cling to them, to the
    canvas' borders and to its middle.
    """

    changed = Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self.on = True
        self.across: list[float] = []
        """Heights of the guides that run across, pixels of the canvas."""
        self.down: list[float] = []

    def put(self, place: float, *, across: bool) -> Guide:
        """Add a guide at a height, or at a distance from the left."""
        guide = Guide(across, len(self.across if across else self.down))
        (self.across if across else self.down).append(round(place))
        self.changed.emit()
        return guide

    def move(self, guide: Guide, place: QPointF) -> None:
        """Let a guide run through a place."""
        if guide.across:
            self.across[guide.number] = round(place.y())
        else:
            self.down[guide.number] = round(place.x())
        self.changed.emit()

    def remove(self, guide: Guide) -> None:
        del (self.across if guide.across else self.down)[guide.number]
        self.changed.emit()

    def clear(self) -> None:
        self.across, self.down = [], []
        self.changed.emit()

    def near(self, place: QPointF, zoom: float) -> Guide | None:
        """The guide under a place."""
        for across, guides, value in (
            (True, self.across, place.y()),
            (False, self.down, place.x()),
        ):
            for number, guide in enumerate(guides):
                if abs(guide - value) * zoom < REACH / 2:
                    return Guide(across, number)
        return None

    def point(self, place: QPointF, zoom: float) -> QPointF:
        """`place`, or what it clings to, on whole pixels."""
        if not self.on:
            return place
        width, height = self._canvas.size
        x = _clung(place.x(), (0, width / 2, width, *self.down), zoom)
        y = _clung(place.y(), (0, height / 2, height, *self.across), zoom)
        return QPointF(x, y)

    def shift(self, edges: tuple[float, float, float, float], zoom: float) -> QPointF:
        """How far a rectangle (left, top, right, bottom) must move to cling."""
        left, top, right, bottom = edges
        xs, ys = (left, (left + right) / 2, right), (top, (top + bottom) / 2, bottom)
        points = [
            self.point(QPointF(x, y), zoom) - QPointF(x, y) for x, y in zip(xs, ys, strict=True)
        ]
        return QPointF(_least(p.x() for p in points), _least(p.y() for p in points))


def _clung(value: float, lines: Iterable[float], zoom: float) -> float:
    near = min(lines, key=lambda line: abs(line - value))
    return near if abs(near - value) * zoom <= REACH else value


def _least(moves: Iterable[float]) -> float:
    return min((move for move in moves if move), key=abs, default=0.0)
