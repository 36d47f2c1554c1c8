"""A short text on a picture: how long a video or a sound is."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

_GROUND, _TEXT = QColor(0, 0, 0, 170), QColor(255, 255, 255)
"""The same in both themes, as pictures are: 4.5:1 on any of them."""
_PAD, _GAP = 4.0, 3.0


def paint_badge(painter: QPainter, picture: QRectF, text: str, font: QFont) -> None:
    """Write `text` into the lower right corner of a picture; nothing where it has no room."""
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height() + 2
    if width > picture.width() or height > picture.height():
        return
    corner = picture.bottomRight() - QPointF(width + _GAP, height + _GAP)
    box = QRectF(corner.x(), corner.y(), width, height)
    painter.save()
    painter.setFont(font)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(_TEXT)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
