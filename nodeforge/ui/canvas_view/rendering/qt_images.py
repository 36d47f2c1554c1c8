"""Converts canvas pixels to QImage and back."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage

from nodeforge.canvas import premultiplied
from nodeforge.imaging import Bytes

_Formats = QImage.Format


def to_image(pixels: Bytes, *, straight: bool = False) -> QImage:
    """A QImage copy of RGBA8 (premultiplied, unless `straight`), RGB8 or mask pixels."""
    kinds = {
        3: _Formats.Format_RGB888,
        4: _Formats.Format_RGBA8888 if straight else _Formats.Format_RGBA8888_Premultiplied,
    }
    kind = _Formats.Format_Grayscale8 if pixels.ndim == 2 else kinds[pixels.shape[2]]
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], kind).copy()


def to_pixels(image: QImage) -> Bytes:
    """Premultiplied RGBA8 pixels of a QImage, (height, width, 4)."""
    image = image.convertToFormat(_Formats.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return premultiplied(rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4))


def to_png(image: QImage) -> bytes:
    """The content of a PNG file."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", 100)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return bytes(content.data())


def straight_pixels(image: QImage) -> Bytes:
    """Straight RGB8 or RGBA8 pixels of a QImage, (height, width, 3 or 4)."""
    channels = 4 if image.hasAlphaChannel() else 3
    kind = _Formats.Format_RGBA8888 if channels == 4 else _Formats.Format_RGB888
    image = image.convertToFormat(kind)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return (
        rows[:, : image.width() * channels].reshape(image.height(), image.width(), channels).copy()
    )
