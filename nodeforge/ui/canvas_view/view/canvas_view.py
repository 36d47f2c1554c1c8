"""The picture on the screen: a plain widget that paints the layers' tiles and what tools draw."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from nodeforge.canvas import Change, What
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.candidate_overlay import Staged
from nodeforge.ui.canvas_view.rendering.canvas_renderer import CanvasPicture
from nodeforge.ui.canvas_view.rendering.marching_ants import Ants
from nodeforge.ui.canvas_view.session import Studio
from nodeforge.ui.canvas_view.view.input_handler import Hands
from nodeforge.ui.canvas_view.view.overlay import Overlay
from nodeforge.ui.common.theme import Theme

_DARK_CHECKS = QColor("#6b6e74"), QColor("#5a5d63")
_LIGHT_CHECKS = QColor("#ffffff"), QColor("#d5d8dd")

_REST = 120
"""Milliseconds without zooming or turning after which the picture is drawn well."""


class CanvasView(QWidget):
    """Shows one canvas; mouse, pen and keys go to the tool in hand (`Hands`).

    Args:
        studio: The canvas and the tools.
        theme: For the colours around the picture.
    """

    looked = Signal()
    """Zoom, place or turn is another."""
    pointed = Signal(object)
    """The place of the canvas under the mouse, or None."""
    menu_asked = Signal(object)

    def __init__(self, studio: Studio, theme: Theme) -> None:
        super().__init__()
        self.studio = studio
        self.camera = Camera()
        self.staged = Staged()
        self.ants = Ants(studio.canvas)
        self.picture = CanvasPicture(studio.canvas, *_colours(theme))
        self.overlay = Overlay(studio, self.staged, self.ants, theme)
        self.hands = Hands(self)
        self._fitted = False
        self._rest = QTimer(self, singleShot=True, interval=_REST)
        self._rest.timeout.connect(self._look_well)
        self._tool_drawn = QRectF()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_TabletTracking)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Canvas")
        self._end = studio.canvas.subscribe(self._hear)
        studio.shown_changed.connect(self.update)
        studio.tool_changed.connect(self.hands.show_cursor)
        studio.snap.changed.connect(self.update)
        studio.kit.changed.connect(self._set)
        self.staged.changed.connect(self.update)
        self.ants.moved.connect(lambda: self._update(self.ants.rect(self.camera.transform())))

    def close_view(self) -> None:
        """Listen to the canvas no more."""
        self._end()
        self.picture.close()
        self.ants.close()

    def set_theme(self, theme: Theme) -> None:
        self.overlay.theme = theme
        self.picture.wear(*_colours(theme))
        self.update()

    # looking

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        self.camera.zoom_to(zoom, at)
        self.hurry()

    def zoom_by(self, factor: float) -> None:
        self.zoom_to(self.camera.zoom * factor)

    def turn_by(self, degrees: float) -> None:
        self.camera.turn_to(self.camera.turn + degrees if degrees else 0.0)
        self.hurry()

    def fit(self, rect: QRectF | None = None) -> None:
        """See all of the canvas, or of a rectangle of it."""
        self.camera.fit(self.studio.whole() if rect is None else rect)
        self.look()

    def pan(self, by: QPointF) -> None:
        self.camera.pan(by)
        self.look()

    def hurry(self) -> None:
        """The camera zooms or turns: look quickly, and well once it rests."""
        self.picture.hurry(True)
        self._rest.start()
        self.look()

    def _look_well(self) -> None:
        self.picture.hurry(False)
        self.update()

    def look(self) -> None:
        """The camera looks elsewhere."""
        self.update()
        self.looked.emit()

    def update_brush(self) -> None:
        """Draw the brush's outline where the mouse is now."""
        before = self._tool_drawn
        self._tool_drawn = self.overlay.brush_rect(self.camera)
        self._update(before)
        self._update(self._tool_drawn)

    def _set(self, tool: str, option: str) -> None:
        """An option of a tool, as the brush's size, has another value."""
        self.update_brush()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        self.picture.show_masks(self.overlay.tints_shown())
        self.picture.paint(painter, event.rect(), self.camera, self.devicePixelRatioF())
        self.overlay.paint(painter, self.camera, self.devicePixelRatioF())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        before, self.camera.size = self.camera.size, QSizeF(self.size())
        if not self._fitted and self.isVisible():
            self._fitted = True
            self.fit()
        elif self._fitted:  # the picture stays where it is, as panels come and go
            more = (self.camera.size - before) / 2
            self.camera.pan(QPointF(-more.width(), -more.height()))
        self.look()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        self.camera.size = QSizeF(self.size())
        if not self._fitted:
            self._fitted = True
            self.fit()
        self.ants.march(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        self.studio.settle()
        self.ants.march(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.hands.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.hands.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.hands.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.hands.double(event)

    def tabletEvent(self, event: QTabletEvent) -> None:  # noqa: N802
        self.hands.tablet(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        self.hands.wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if not self.hands.key(event, True):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if not self.hands.key(event, False):
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        self.hands.let_go()
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        self.hands.show_cursor()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        self.overlay.brush_at = None
        self.update_brush()
        self.pointed.emit(None)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self.hands.gesture(event)
        return super().event(event)

    def _hear(self, changes: tuple[Change, ...]) -> None:
        transform = self.camera.transform()
        for change in changes:
            if change.what in (What.SIZE, What.SELECTION):
                self.update()
            elif change.box is not None:
                rect = _around(transform.mapRect(QRectF(*change.box)), self.camera.zoom)
                self.picture.spoil(rect & self.rect())
                self.update(rect & self.rect())
        if any(change.what in (What.SIZE, What.LAYERS, What.ACTIVE) for change in changes):
            self.update()

    def _update(self, rect: QRectF) -> None:
        if not rect.isEmpty():
            self.update(rect.toAlignedRect())


def _around(rect: QRectF, zoom: float) -> QRect:
    """All pixels that look different: small pictures are means of what is around, too."""
    more = 2 + math.ceil(1 / max(zoom, 0.1))
    return rect.toAlignedRect().adjusted(-more, -more, more, more)


def _colours(theme: Theme) -> tuple[QColor, QColor, QColor]:
    return (*(_DARK_CHECKS if theme.is_dark else _LIGHT_CHECKS), theme.window)
