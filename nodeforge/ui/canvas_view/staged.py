"""The candidate that is shown over the picture, before it is part of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QImage, QPainter

from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.camera import Camera
from nodeforge.ui.canvas_view.outlines import line_both


class Staged(QObject):
    """A picture in a box of the canvas; what is transparent in it shows the canvas."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self.box: Box | None = None
        self.hidden = False
        """The original is looked at."""
        self.split = 1.0
        """The share of the box, from the left, that shows the candidate."""

    def show(self, image: QImage | None, box: Box | None) -> None:
        self.image, self.box = image, box
        self.changed.emit()

    def hide(self, hidden: bool) -> None:
        """Look at the original, or at the candidate again."""
        if hidden != self.hidden:
            self.hidden = hidden
            self.changed.emit()

    def split_at(self, share: float) -> None:
        """Show the candidate left of a share of the box; 1 shows all of it."""
        self.split = min(max(share, 0.0), 1.0)
        self.changed.emit()

    def paint(self, painter: QPainter, camera: Camera) -> None:
        if self.image is None or self.box is None or self.hidden:
            return
        rect = QRectF(*self.box)
        seen = QRectF(rect.left(), rect.top(), rect.width() * self.split, rect.height())
        painter.save()
        painter.setTransform(camera.transform())
        painter.setClipRect(seen)
        smooth = self.image.width() < rect.width() or camera.zoom < 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(rect, self.image)
        painter.restore()
        if 0 < self.split < 1:
            ends = seen.topRight(), seen.bottomRight()
            line_both(painter, *(camera.to_view(end) for end in ends))
