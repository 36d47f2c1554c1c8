"""The waveform of a video's sound below its frames, with the position."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

HEIGHT = 32
"""Pixels."""


class WaveformStrip(QWidget):
    """Shows a waveform; a click or a drag chooses the position."""

    sought = Signal(float)
    """The share of the length, 0..1."""
    resized = Signal(QSize)
    """Its size in pixels of the screen."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._share = 0.0
        self._part = 1.0
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Waveform of the sound")
        self.setToolTip("Click to go there")

    @property
    def image(self) -> QImage:
        return self._image

    @property
    def pixels(self) -> QSize:
        """Its size in pixels of the screen."""
        return self.size() * self.devicePixelRatioF()

    def show_image(self, image: QImage | None, part: float = 1.0) -> None:
        """Show a waveform over `part` of the width: how long the sound is, of the clip."""
        self._image, self._part = image or QImage(), part
        self.update()

    def show_share(self, share: float) -> None:
        """Show the position, 0..1."""
        self._share = share
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().base())
        if not self._image.isNull():
            box = QRectF(0, 0, self.width() * self._part, self.height())
            painter.setClipRect(self.rect())
            painter.drawImage(box, self._image)
        x = self._share * (self.width() - 1)
        painter.setPen(self.palette().text().color())
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.sought.emit(min(max(event.position().x() / max(1, self.width() - 1), 0.0), 1.0))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.mousePressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self.resized.emit(self.pixels)
