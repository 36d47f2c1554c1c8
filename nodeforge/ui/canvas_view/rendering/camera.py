"""The camera of the canvas view: zoom, rotation and centre, and the coordinate transforms."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

MAX_ZOOM, MIN_ZOOM = 64.0, 1 / 64
_MARGIN = 24.0
"""Margin around a fitted rectangle, view pixels."""


class Camera:
    """Zoom (view pixels per canvas pixel), rotation (degrees, clockwise) and centre of the view."""

    def __init__(self) -> None:
        self.zoom = 1.0
        self.rotation = 0.0
        self.centre = QPointF()
        """The canvas position at the centre of the view."""
        self.size = QSizeF(1, 1)

    @property
    def view_centre(self) -> QPointF:
        return QPointF(self.size.width() / 2, self.size.height() / 2)

    def transform(self) -> QTransform:
        """The transform from canvas to view pixels."""
        turned = QTransform().rotate(self.rotation).scale(self.zoom, self.zoom)
        corner = self.view_centre - turned.map(self.centre)
        # Whole pixels, so that a picture at 1:1 is as sharp as it is, and a pan moves pixels.
        return turned * QTransform.fromTranslate(round(corner.x()), round(corner.y()))

    def to_view(self, place: QPointF) -> QPointF:
        return self.transform().map(place)

    def to_canvas(self, place: QPointF) -> QPointF:
        return self.transform().inverted()[0].map(place)

    def visible_area(self, rect: QRectF) -> QRectF:
        """The canvas rectangle under a view rectangle."""
        return self.transform().inverted()[0].mapRect(rect)

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom around a view position, by default the centre."""
        at = self.view_centre if at is None else at
        kept = self.to_canvas(at)
        self.zoom = min(max(zoom, MIN_ZOOM), MAX_ZOOM)
        self._keep_at(kept, at)

    def rotate_to(self, turn: float, at: QPointF | None = None) -> None:
        """Rotate the view around a view position, by default the centre."""
        at = self.view_centre if at is None else at
        kept = self.to_canvas(at)
        self.rotation = (turn + 180) % 360 - 180
        self._keep_at(kept, at)

    def pan(self, by: QPointF) -> None:
        """Scroll the view by an offset in view pixels."""
        self.centre -= self._unturned(by) / self.zoom

    def fit(self, rect: QRectF) -> None:
        """Fit a canvas rectangle into the view, at a zoom of at most 8."""
        turned = QTransform().rotate(self.rotation).mapRect(rect)
        wide = max(self.size.width() - 2 * _MARGIN, 16) / max(turned.width(), 1)
        high = max(self.size.height() - 2 * _MARGIN, 16) / max(turned.height(), 1)
        self.zoom = min(max(min(wide, high), MIN_ZOOM), 8.0)
        self.centre = rect.center()

    def _keep_at(self, kept: QPointF, at: QPointF) -> None:
        self.centre = kept - self._unturned(at - self.view_centre) / self.zoom

    def _unturned(self, by: QPointF) -> QPointF:
        angle = math.radians(-self.rotation)
        cos, sin = math.cos(angle), math.sin(angle)
        return QPointF(by.x() * cos - by.y() * sin, by.x() * sin + by.y() * cos)
