"""Shows the current candidate over the canvas."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QImage, QPainter

from nodeforge.canvas import TILE
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.canvas_renderer import SMOOTH_UP_TO
from nodeforge.ui.canvas_view.rendering.outline_painting import draw_contrast_line

_SHOWN = QImage.Format.Format_ARGB32_Premultiplied


class CandidateOverlay(QObject):
    """A picture with alpha, drawn in a box of the canvas."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self.box: Box | None = None
        self._pieces: list[tuple[QRectF, QImage]] = []
        self.hidden = False
        """Whether the candidate is hidden while a key is held, to see the original."""
        self.aside = False
        """Whether the candidate was put aside, to see what is painted below it."""
        self.split = 1.0
        """Share of the box, from the left, in which the candidate is drawn."""

    def show(self, image: QImage | None, box: Box | None) -> None:
        if image is not self.image or box != self.box:
            self.image, self.box = image, box
            self._pieces = _pieces(image, box) if image is not None and box is not None else []
        self.changed.emit()

    def update_part(self, image: QImage, part: Box) -> None:
        """Take over what has changed in a box of the canvas, if the picture is the shown one."""
        if image is not self.image or self.box is None:
            return
        changed = QRectF(*part)
        for index, (place, _) in enumerate(self._pieces):
            if place.intersects(changed):
                self._pieces[index] = place, _piece(image, self.box, place)
        self.changed.emit()

    def set_hidden(self, hidden: bool) -> None:
        """Hide or show the candidate."""
        if hidden != self.hidden:
            self.hidden = hidden
            self.changed.emit()

    def set_aside(self, aside: bool) -> None:
        """Put the candidate aside, or show it again."""
        if aside != self.aside:
            self.aside = aside
            self.changed.emit()

    def set_split(self, share: float) -> None:
        """Draw the candidate only left of a share of the box; 1 draws all of it."""
        self.split = min(max(share, 0.0), 1.0)
        self.changed.emit()

    def paint(self, painter: QPainter, camera: Camera, ratio: float) -> None:
        if self.image is None or self.box is None or self.hidden or self.aside:
            return
        rect = QRectF(*self.box)
        seen = QRectF(rect.left(), rect.top(), rect.width() * self.split, rect.height())
        painter.save()
        painter.setTransform(camera.transform())
        painter.setClipRect(seen)
        smooth = self.image.width() < rect.width() or ratio * camera.zoom < SMOOTH_UP_TO
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        for place, piece in self._pieces:
            painter.drawImage(place, piece)
        painter.restore()
        if 0 < self.split < 1:
            ends = seen.topRight(), seen.bottomRight()
            draw_contrast_line(painter, *(camera.to_view(end) for end in ends))


def _pieces(image: QImage, box: Box) -> list[tuple[QRectF, QImage]]:
    """The picture cut along the canvas' tile grid, so that no seams show."""
    if (image.width(), image.height()) != (box.width, box.height):
        return [(QRectF(*box), image.convertToFormat(_SHOWN))]  # work in progress, of its own size
    places = [
        QRectF(column * TILE, row * TILE, TILE, TILE)
        for row in range(box.top // TILE, -(-box.bottom // TILE))
        for column in range(box.left // TILE, -(-box.right // TILE))
    ]
    return [(place, _piece(image, box, place)) for place in places]


def _piece(image: QImage, box: Box, place: QRectF) -> QImage:
    """What lies in a place of the canvas; transparent beyond the picture."""
    cut = place.translated(-box.left, -box.top).toRect()
    return image.copy(cut).convertToFormat(_SHOWN)
