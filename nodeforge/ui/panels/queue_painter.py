"""Paints what a job that runs has done, in its row of the queue."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

SHARE = Qt.ItemDataRole.UserRole + 1
"""How much of its node a job has done, 0..1; None where it does not run."""
PREVIEW = Qt.ItemDataRole.UserRole + 2
"""A `QImage` of the last step of a job that runs; None where there is none."""
_ROW = 28
"""Least height of a row: that of a preview, whether or not it has one; none moves as it comes."""
_BAR = 3
_GAP = 2

_Index = QModelIndex | QPersistentModelIndex


class QueuePainter(QStyledItemDelegate):
    """A bar along the bottom of a cell that has a share, a picture at the right of one with it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: N802
        size = super().sizeHint(option, index)
        return size.expandedTo(QSize(0, _ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        super().paint(painter, option, index)
        if isinstance(image := index.data(PREVIEW), QImage):
            _paint_preview(painter, option.rect, image)
        if isinstance(share := index.data(SHARE), float):
            _paint_bar(painter, share, option)


def small_preview(image: QImage) -> QImage:
    """A picture as small as a row shows it, also on a fine screen."""
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(QSize(4 * _ROW, 2 * _ROW), ratio, smooth)


def _paint_preview(painter: QPainter, place: QRect, image: QImage) -> None:
    height = place.height() - 2 * _GAP
    width = min(2 * height, round(height * image.width() / max(1, image.height())))
    left = place.right() - width - _GAP
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRect(left, place.top() + _GAP, width, height), image)
    painter.restore()


def _paint_bar(painter: QPainter, share: float, option: QStyleOptionViewItem) -> None:
    place, palette = option.rect, option.palette
    bar = QRect(place.left(), place.bottom() - _BAR, place.width() - _GAP, _BAR)
    painter.fillRect(bar, palette.mid())
    bar.setWidth(round(bar.width() * max(0.0, min(1.0, share))))
    selected = bool(option.state & QStyle.StateFlag.State_Selected)
    painter.fillRect(bar, palette.highlightedText() if selected else palette.highlight())
