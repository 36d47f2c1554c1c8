"""Handles of a rectangle that is moved and resized: hit test, resizing, painting."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF, QTransform

from nodeforge.ui.canvas_view.rendering.outline_painting import (
    HANDLE,
    draw_contrast_polygon,
    draw_handle,
)

INSIDE = (0, 0)
Handle = tuple[int, int]
"""The edges that a handle moves: -1 left or top, 1 right or bottom, 0 neither; (0, 0): all."""

HANDLES: tuple[Handle, ...] = tuple(
    (x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x, y) != INSIDE
)

_CURSORS = {
    (-1, -1): Qt.CursorShape.SizeFDiagCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
    (-1, 1): Qt.CursorShape.SizeBDiagCursor,
    (0, -1): Qt.CursorShape.SizeVerCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (-1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    INSIDE: Qt.CursorShape.SizeAllCursor,
}


def handle_position(rect: QRectF, handle: Handle) -> QPointF:
    """The position of a handle."""
    middle = rect.center()
    across, down = handle
    return middle + QPointF(across * rect.width() / 2, down * rect.height() / 2)


def handle_at(rect: QRectF, to_view: QTransform, at: QPointF) -> Handle | None:
    """The handle at a view position; `INSIDE` within the rectangle, None outside."""
    for handle in HANDLES:
        away = to_view.map(handle_position(rect, handle)) - at
        if max(abs(away.x()), abs(away.y())) <= HANDLE:
            return handle
    inverse = to_view.inverted()[0]
    return INSIDE if rect.contains(inverse.map(at)) else None


def handle_cursor(handle: Handle | None) -> Qt.CursorShape:
    return _CURSORS[handle] if handle is not None else Qt.CursorShape.CrossCursor


def resized(
    rect: QRectF, handle: Handle, by: QPointF, *, keep: bool = False, centred: bool = False
) -> QRectF:
    """`rect` with the edges of a handle moved; at least one pixel wide and high.

    Args:
        keep: Keep the proportions.
        centred: Keep the centre.
    """
    if handle == INSIDE:
        return rect.translated(by)
    across, down = handle
    grow = 2 if centred else 1
    width = max(1.0, rect.width() + across * by.x() * grow)
    height = max(1.0, rect.height() + down * by.y() * grow)
    if keep:
        factor = width / rect.width() if across else height / rect.height()
        if across and down:
            factor = max(factor, height / rect.height())
        width, height = rect.width() * factor, rect.height() * factor
    made = QRectF(0, 0, width, height)
    if centred:
        made.moveCenter(rect.center())
        return made
    left = rect.left() if across > 0 else rect.right() - width
    top = rect.top() if down > 0 else rect.bottom() - height
    left = left if across else rect.center().x() - width / 2
    top = top if down else rect.center().y() - height / 2
    return QRectF(left, top, width, height)


def paint_rect(
    painter: QPainter, rect: QRectF, to_view: QTransform, colour: QColor, dashed: bool = False
) -> None:
    """Draw the rectangle and its handles."""
    draw_contrast_polygon(painter, to_view.map(QPolygonF(rect)), dashed)
    for handle in HANDLES:
        draw_handle(painter, to_view.map(handle_position(rect, handle)), colour)
