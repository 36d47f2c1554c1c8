"""A widget that shows a picture, with zoom and pan."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

_MAX_ZOOM, _MIN_ZOOM = 32.0, 0.02
_ENLARGING = (Qt.Key.Key_Space, Qt.Key.Key_F, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_KEYPAD = Qt.KeyboardModifier.KeypadModifier
_SMOOTH_UP_TO = 2.0
"""Zoom from which pixels are shown as squares, except in previews."""


class PictureView(QWidget):
    """Shows a picture, fitted until it is zoomed."""

    zoomed = Signal(float)
    """Pixels of the screen per picture pixel, also where the desktop is scaled."""
    hovered = Signal(str)
    """Place and values of the pixel under the mouse; empty outside, and on previews."""
    enlarge_requested = Signal()
    """A double-click, or Space, F or Enter."""

    def __init__(self, empty: str) -> None:
        super().__init__()
        self._empty = empty
        self._image = QImage()
        self._whole = QSize()
        """The picture's size, which a frame of a video may be smaller than."""
        self._playhead: float | None = None
        self._beside = QImage()
        self._split = 0.5
        self._is_preview = False
        self._zoom: float | None = None
        self._centre = QPointF()
        self._grabbed: QPointF | None = None
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMouseTracking(True)

    @property
    def is_fitted(self) -> bool:
        """Whether the whole picture is fitted into the widget."""
        return self._zoom is None

    @property
    def image(self) -> QImage:
        return self._image

    @property
    def size_shown(self) -> QSize:
        """The picture's size in its own pixels, also where it was scaled down for the screen."""
        return self._whole

    @property
    def zoom(self) -> float:
        """Pixels of the screen per picture pixel, also where the desktop is scaled."""
        return self._zoom or self._fitting()

    def show_image(
        self, image: QImage | None, *, coarse: bool = False, size: QSize | None = None
    ) -> None:
        """Show `image`; the zoom is kept if the size is the same.

        Args:
            coarse: Whether it is a small preview, which is always drawn smoothly.
            size: That of the whole picture, where `image` was scaled down for the screen.
        """
        image = image or QImage()
        size = image.size() if size is None else size
        if size != self._whole and not coarse and not self._is_preview:
            self._zoom = None
        same = size == self._whole and coarse == self._is_preview
        self._image, self._whole, self._is_preview = image, size, coarse
        self.update()
        if not same:
            self.zoomed.emit(self.zoom)

    def set_playhead(self, share: float | None) -> None:
        """Show a position over the width of the picture, 0..1; None for none."""
        if share != self._playhead:
            self._playhead = share
            self.update()

    def zoom_of(self, size: QSize) -> float:
        """The zoom with which a picture of this size is shown, or would be."""
        same = size == self._whole and not self._is_preview
        return self.zoom if same else self._fitting(size)

    def set_beside(self, image: QImage | None) -> None:
        """Show `image` left of the mouse, and the picture right of it; None ends that."""
        self._beside = image or QImage()
        self.update()

    @property
    def beside(self) -> QImage:
        """What is shown left of the mouse; a null image for nothing."""
        return self._beside

    def set_empty_text(self, empty: str) -> None:
        """Set the text shown while there is no picture."""
        self._empty = empty
        self.update()

    def fit(self) -> None:
        self._zoom = None
        self._changed()

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom around a position, by default the centre."""
        if self._image.isNull():
            return
        at = at or QPointF(self.width() / 2, self.height() / 2)
        box = self._box()
        share = QPointF((at.x() - box.x()) / box.width(), (at.y() - box.y()) / box.height())
        self._zoom = min(max(zoom, _MIN_ZOOM), _MAX_ZOOM)
        size = self._size()
        corner = QPointF(at.x() - share.x() * size.width(), at.y() - share.y() * size.height())
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._centre = corner + QPointF(size.width() / 2, size.height() / 2) - middle
        self._changed()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().window())
        if self._image.isNull():
            painter.setPen(self.palette().placeholderText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 16, -16, -16), flags, self._empty)
            return
        smooth = self._is_preview or self.zoom < _SMOOTH_UP_TO
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        box = self._box()
        painter.drawImage(box, self._image)
        if self._playhead is not None:
            x = box.left() + self._playhead * box.width()
            painter.setPen(self.palette().text().color())
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
        if not self._beside.isNull():
            self._paint_beside(painter, box)

    def _paint_beside(self, painter: QPainter, box: QRectF) -> None:
        left = QRectF(box.topLeft(), QSizeF(box.width() * self._split, box.height()))
        size = QSizeF(self._beside.width() * self._split, self._beside.height())
        painter.drawImage(left, self._beside, QRectF(QPointF(), size))
        painter.setPen(self.palette().highlight().color())
        painter.drawLine(left.topRight(), left.bottomRight())

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        self.zoom_to(self.zoom * 1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is Qt.MouseButton.RightButton:
            return
        self._grabbed = event.position()
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.hovered.emit(self._pixel_text(event.position()))
        if not self._beside.isNull() and self._grabbed is None and (box := self._box()).width():
            share = (event.position().x() - box.x()) / box.width()
            self._split = min(max(share, 0.0), 1.0)
            self.update()
        if self._grabbed is None or self._image.isNull():
            return
        if self._zoom is None:
            self.zoom_to(self._fitting())
        self._centre += event.position() - self._grabbed
        self._grabbed = event.position()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._grabbed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if event.button() is Qt.MouseButton.LeftButton:
            self._grabbed = None
            self.enlarge_requested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in _ENLARGING and not event.modifiers() & ~_KEYPAD:
            self.enlarge_requested.emit()
            return
        super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        self.hovered.emit("")
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self.zoomed.emit(self.zoom)

    def _changed(self) -> None:
        self.update()
        self.zoomed.emit(self.zoom)

    def _pixel_text(self, at: QPointF) -> str:
        """``x 12  y 30   255 120 3   #ff7803``: counted from the upper left, values 0..255."""
        box = self._box()
        scaled = self._image.size() != self._whole
        if self._image.isNull() or self._is_preview or scaled or not box.contains(at):
            return ""
        scale = self.zoom / self.devicePixelRatioF()
        x = min(int((at.x() - box.x()) / scale), self._image.width() - 1)
        y = min(int((at.y() - box.y()) / scale), self._image.height() - 1)
        colour = self._image.pixelColor(x, y)
        values = [colour.red(), colour.green(), colour.blue()]
        values += [colour.alpha()] if self._image.hasAlphaChannel() else []
        return f"x {x}  y {y}   {' '.join(map(str, values))}   {colour.name()}"

    def _fitting(self, size: QSize | None = None) -> float:
        """The zoom at which a whole picture fits, by default the one shown."""
        size = self._whole if size is None else size
        if size.isEmpty() or not self.width() or not self.height():
            return 1.0
        wide = (self.width() - 8) / size.width()
        high = (self.height() - 8) / size.height()
        return max(_MIN_ZOOM, min(min(wide, high) * self.devicePixelRatioF(), _MAX_ZOOM))

    def _size(self) -> QSizeF:
        """The size of the picture as it is shown, in the widget's coordinates."""
        return QSizeF(self._whole) * (self.zoom / self.devicePixelRatioF())

    def _box(self) -> QRectF:
        size = self._size()
        middle = QPointF(self.width() / 2, self.height() / 2)
        if self._zoom is not None:
            middle += self._centre
        box = QRectF(QPointF(), size)
        box.moveCenter(middle)
        return box
