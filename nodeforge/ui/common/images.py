"""Reads picture files at the size they are shown in."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter

_FADED = 0.35
"""Opacity of pictures that are out of date."""


def picture_filter(*others: str) -> str:
    """The filter of file dialogs for pictures; `others` are more suffixes, as in ``".ora"``."""
    from nodeforge.imaging import PICTURE_SUFFIXES  # numpy: only when needed

    return f"Pictures (*{' *'.join((*PICTURE_SUFFIXES, *others))});;All files (*)"


def read_scaled(path: Path, longest: int) -> QImage:
    """Read a picture, rotated by its EXIF orientation and scaled down; a null image on failure."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > longest:
        box = QSize(longest, longest)
        reader.setScaledSize(size.scaled(box, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def faded(image: QImage) -> QImage:
    """A grey, partly transparent copy, for a picture that is out of date."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    result = QImage(image.size(), QImage.Format.Format_ARGB32_Premultiplied)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setOpacity(_FADED)
    painter.drawImage(0, 0, grey)
    painter.end()
    return result
