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
    """Read a picture, rotated by its EXIF orientation and scaled down; a null image on failure.

    Of a video that Qt cannot read, its first frame.
    """
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > longest:
        box = QSize(longest, longest)
        reader.setScaledSize(size.scaled(box, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return _first_frame(path, longest) if image.isNull() and path.is_file() else image


def _first_frame(path: Path, longest: int) -> QImage:
    from nodeforge.media import VIDEO_SUFFIXES, MediaError, read_frame  # FFmpeg: when needed

    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return QImage()
    try:
        pixels = read_frame(path, longest=longest)
    except MediaError:
        return QImage()
    height, width = pixels.shape[:2]
    data = pixels.tobytes()
    return QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


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
