"""Guides of a canvas, and snapping to guides, borders and the centre."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QObject, QPointF, Signal

from nodeforge.canvas import Canvas

SNAP_DISTANCE = 8.0
"""Snapping distance, view pixels."""


class Guide(NamedTuple):
    """A guide: its direction and its index."""

    is_horizontal: bool
    number: int


class Snapping(QObject):
    """The guides of one canvas. Corners of selections, boxes and layers snap to them, to the
    borders and to the centre of the canvas.
    """

    changed = Signal()

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self.enabled = True
        self.horizontal: list[float] = []
        """Positions of horizontal guides, canvas pixels."""
        self.vertical: list[float] = []

    def add_guide(self, place: float, *, is_horizontal: bool) -> Guide:
        """Add a horizontal or vertical guide."""
        guide = Guide(is_horizontal, len(self.horizontal if is_horizontal else self.vertical))
        (self.horizontal if is_horizontal else self.vertical).append(round(place))
        self.changed.emit()
        return guide

    def move_guide(self, guide: Guide, place: QPointF) -> None:
        """Move a guide to a position."""
        if guide.is_horizontal:
            self.horizontal[guide.number] = round(place.y())
        else:
            self.vertical[guide.number] = round(place.x())
        self.changed.emit()

    def remove_guide(self, guide: Guide) -> None:
        del (self.horizontal if guide.is_horizontal else self.vertical)[guide.number]
        self.changed.emit()

    def clear_guides(self) -> None:
        self.horizontal, self.vertical = [], []
        self.changed.emit()

    def guide_at(self, place: QPointF, zoom: float) -> Guide | None:
        """The guide at a position."""
        for is_horizontal, guides, value in (
            (True, self.horizontal, place.y()),
            (False, self.vertical, place.x()),
        ):
            for number, guide in enumerate(guides):
                if abs(guide - value) * zoom < SNAP_DISTANCE / 2:
                    return Guide(is_horizontal, number)
        return None

    def snapped(self, place: QPointF, zoom: float) -> QPointF:
        """The position, snapped to guides, borders and centre."""
        if not self.enabled:
            return place
        width, height = self._canvas.size
        x = _nearest_line(place.x(), (0, width / 2, width, *self.vertical), zoom)
        y = _nearest_line(place.y(), (0, height / 2, height, *self.horizontal), zoom)
        return QPointF(x, y)

    def offset(self, edges: tuple[float, float, float, float], zoom: float) -> QPointF:
        """The offset that snaps a rectangle (left, top, right, bottom)."""
        left, top, right, bottom = edges
        xs, ys = (left, (left + right) / 2, right), (top, (top + bottom) / 2, bottom)
        points = [
            self.snapped(QPointF(x, y), zoom) - QPointF(x, y) for x, y in zip(xs, ys, strict=True)
        ]
        return QPointF(_smallest_move(p.x() for p in points), _smallest_move(p.y() for p in points))


def _nearest_line(value: float, lines: Iterable[float], zoom: float) -> float:
    near = min(lines, key=lambda line: abs(line - value))
    return near if abs(near - value) * zoom <= SNAP_DISTANCE else value


def _smallest_move(moves: Iterable[float]) -> float:
    return min((move for move in moves if move), key=abs, default=0.0)
