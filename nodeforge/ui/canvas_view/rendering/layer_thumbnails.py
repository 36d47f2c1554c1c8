"""Thumbnails of layers."""

from __future__ import annotations

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize
from PySide6.QtGui import QBrush, QColor, QIcon, QImage, QPainter, QPen, QPixmap

from nodeforge.canvas import TILE, Layer, State
from nodeforge.ui.canvas_view.rendering.qt_images import to_image

SIDE = 32
_CHECK = 4
_LIGHT, _GREY = "#ffffff", "#c8ccd2"
_FRAME = 3
"""Pixels that the frame of a mask is wide."""


def thumbnail(layer: Layer, state: State, ratio: float = 1.0) -> QPixmap:
    """A thumbnail of a layer on a checkerboard, `SIDE` pixels wide or high.

    A mask has a frame of its tint.
    """
    side = round(SIDE * ratio)
    scale = side / max(state.width, state.height)
    width, height = (max(1, round(v * scale)) for v in (state.width, state.height))
    pixmap = QPixmap(side, side)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    area = QRect(QPoint((side - width) // 2, (side - height) // 2), QSize(width, height))
    painter.setClipRect(area)
    _chequer(painter, area)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(area.topLeft())
    painter.scale(scale, scale)
    painter.translate(*layer.offset)
    outermost_input = TILE + 0.5 / scale  # a little over the edge, so that no gaps show
    for (column, row), tile in layer.tiles.items():
        image = _small(tile, max(2, round(TILE * scale * 2)))
        painter.drawImage(
            QRectF(column * TILE, row * TILE, outermost_input, outermost_input), image
        )
    if layer.is_mask:
        painter.resetTransform()
        painter.setPen(QPen(QBrush(QColor(layer.tint)), 2 * _FRAME * ratio))  # half is clipped
        painter.drawRect(area)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def on_chequerboard(image: QImage, square: int = 16) -> QImage:
    """A picture with alpha on a chequerboard, which shows where it is transparent.

    Args:
        square: Pixels of a side of its squares.
    """
    squares = QPixmap(2 * square, 2 * square)
    painter = QPainter(squares)
    painter.fillRect(squares.rect(), QColor(_LIGHT))
    for place in (QPoint(square, 0), QPoint(0, square)):
        painter.fillRect(QRect(place, QSize(square, square)), QColor(_GREY))
    painter.end()
    out = QImage(image.size(), QImage.Format.Format_RGB32)
    painter = QPainter(out)
    painter.fillRect(out.rect(), QBrush(squares))
    painter.drawImage(0, 0, image)
    painter.end()
    return out


def plain_icon(pixmap: QPixmap) -> QIcon:
    """An icon that looks the same when selected."""
    made = QIcon(pixmap)
    made.addPixmap(pixmap, QIcon.Mode.Selected)
    return made


def _small(tile: np.ndarray, side: int) -> QImage:
    if side < TILE:
        tile = np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA))
    return to_image(tile)


def _chequer(painter: QPainter, area: QRect) -> None:
    painter.fillRect(area, QColor(_LIGHT))
    for y in range(area.top(), area.bottom() + 1, _CHECK):
        for x in range(area.left(), area.right() + 1, _CHECK):
            if (x + y) // _CHECK % 2:
                painter.fillRect(x, y, _CHECK, _CHECK, QColor(_GREY))
