"""Paints what a job that runs has done, over its row of the queue."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette

ROW = 28
"""Height of a row: that of a preview, whether or not it has one; none moves as it comes."""
_BAR = 3
_GAP = 2


def small_preview(image: QImage) -> QImage:
    """A picture as small as a row shows it, also on a fine screen."""
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(QSize(4 * ROW, 2 * ROW), ratio, smooth)


def paint_preview(painter: QPainter, place: QRect, image: QImage) -> None:
    """Paint a picture at the right of a cell."""
    height = place.height() - 2 * _GAP
    width = min(2 * height, round(height * image.width() / max(1, image.height())))
    left = place.right() - width - _GAP
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRect(left, place.top() + _GAP, width, height), image)


def paint_share(
    painter: QPainter, place: QRect, share: float, palette: QPalette, *, selected: bool
) -> None:
    """Paint a bar along the bottom of a cell, `share` of it (0..1) bright."""
    bar = QRect(place.left(), place.bottom() - _BAR, place.width() - _GAP, _BAR)
    painter.fillRect(bar, palette.mid())
    bar.setWidth(round(bar.width() * max(0.0, min(1.0, share))))
    painter.fillRect(bar, palette.highlightedText() if selected else palette.highlight())
