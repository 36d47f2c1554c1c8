"""The canvas widget: paints layers and overlay, and passes events to the input handler."""

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
from PySide6.QtWidgets import QSizePolicy

from nodeforge.canvas import Change, ChangeKind
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.candidate_overlay import CandidateOverlay
from nodeforge.ui.canvas_view.rendering.canvas_renderer import CanvasRenderer
from nodeforge.ui.canvas_view.rendering.marching_ants import MarchingAnts
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.view.input_handler import InputHandler
from nodeforge.ui.canvas_view.view.overlay import CanvasOverlay
from nodeforge.ui.canvas_view.view.viewport import Viewport
from nodeforge.ui.common.theme import Theme

_DARK_CHECKS = QColor("#6b6e74"), QColor("#5a5d63")
_LIGHT_CHECKS = QColor("#ffffff"), QColor("#d5d8dd")

_DRAFT_MS = 120
"""Milliseconds without zooming or rotating until the draft is redrawn smoothly."""


class CanvasView(Viewport):
    """Shows one canvas; events go to the `InputHandler`.

    Args:
        session: The canvas and its tools.
        theme: Colours of the surround and the checkerboard.
    """

    view_changed = Signal()
    """Zoom, position or rotation has changed."""

    def __init__(self, session: CanvasSession, theme: Theme) -> None:
        super().__init__()
        self.session = session
        self.camera = Camera()
        self.candidate_overlay = CandidateOverlay()
        self.marching_ants = MarchingAnts(session.canvas)
        self.renderer = CanvasRenderer(session.canvas, *_colours(theme))
        self.overlay = CanvasOverlay(session, self.candidate_overlay, self.marching_ants, theme)
        self.input_handler = InputHandler(self)
        self._fitted: tuple[float, float, QPointF] | None = None
        """The camera as the picture was fitted when it was opened; None before it is shown."""
        self._touched = False
        """Whether the person has worked in the view."""
        self._draft_timer = QTimer(self, singleShot=True)
        self._draft_timer.setInterval(_DRAFT_MS)
        self._draft_timer.timeout.connect(self._draw_final)
        self._tool_drawn = QRectF()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_TabletTracking)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Canvas")
        self._end = session.canvas.subscribe(self._on_canvas_changed)
        session.overlay_changed.connect(self.update)
        session.tool_changed.connect(self.input_handler.show_cursor)
        session.snapping.changed.connect(self.update)
        session.tool_options.changed.connect(self._set)
        self.candidate_overlay.changed.connect(self.update)
        self.marching_ants.advanced.connect(
            lambda: self._update(self.marching_ants.rect(self.camera.transform()))
        )

    def close_view(self) -> None:
        """Disconnect from the canvas."""
        self._end()
        self.renderer.close()
        self.marching_ants.close()
        for part in (self.input_handler, self.marching_ants, self.candidate_overlay):
            part.deleteLater()

    def set_theme(self, theme: Theme) -> None:
        self.overlay.theme = theme
        self.renderer.set_colours(*_colours(theme))
        self.update()

    # camera

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        self.camera.zoom_to(zoom, at)
        self.update_draft()

    def zoom_by(self, factor: float) -> None:
        self.zoom_to(self.camera.zoom * factor)

    def rotate_by(self, degrees: float) -> None:
        self.camera.rotate_to(self.camera.rotation + degrees if degrees else 0.0)
        self.update_draft()

    def fit(self, rect: QRectF | None = None) -> None:
        """Fit the whole canvas, or a rectangle of it."""
        self.camera.fit(self.session.canvas_rect() if rect is None else rect)
        self.update_view()

    def pan(self, by: QPointF) -> None:
        self.camera.pan(by)
        self.update_view()

    def update_draft(self) -> None:
        """Redraw in draft mode while the camera moves, and smoothly after a pause."""
        self.renderer.set_draft(True)
        self._draft_timer.start()
        self.update_view()

    def _draw_final(self) -> None:
        self.renderer.set_draft(False)
        self.update()

    def update_view(self) -> None:
        """Redraw after a change of the camera."""
        self.update()
        self.view_changed.emit()

    def update_brush(self) -> None:
        """Redraw the brush outline."""
        before = self._tool_drawn
        self._tool_drawn = self.overlay.brush_rect(self.camera)
        self._update(before)
        self._update(self._tool_drawn)

    def _set(self, tool: str, option: str) -> None:
        """Redraw the brush outline after a change of tool options."""
        self.update_brush()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        self.renderer.show_masks(self.overlay.masks_tinted())
        self.renderer.paint(painter, event.rect(), self.camera, self.devicePixelRatioF())
        self.overlay.paint(painter, self.camera, self.devicePixelRatioF())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        before, self.camera.size = self.camera.size, QSizeF(self.size())
        untouched = not self._touched and self._fitted in (None, self._look())
        if untouched and self.isVisible():
            self._fit_opened()
        elif self._fitted is not None:  # the picture stays where it is, as panels come and go
            more = (self.camera.size - before) / 2
            self.camera.pan(QPointF(-more.width(), -more.height()))
        self.update_view()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        self.camera.size = QSizeF(self.size())
        if self._fitted is None:
            self._fit_opened()
        self.marching_ants.set_running(True)

    def keep_place(self) -> None:
        """Fit no more by itself: the picture stays where it is, as panels come and go."""
        self._touched = True

    def _fit_opened(self) -> None:
        """Fit what was opened; again with each size, until the person works in the view."""
        self.fit()
        self._fitted = self._look()

    def _look(self) -> tuple[float, float, QPointF]:
        return self.camera.zoom, self.camera.rotation, self.camera.centre

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        self.session.commit()
        self.marching_ants.set_running(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._touched = True
        self.input_handler.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.input_handler.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.input_handler.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.input_handler.double_click(event)

    def tabletEvent(self, event: QTabletEvent) -> None:  # noqa: N802
        self._touched = True
        self.input_handler.tablet(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        self.input_handler.wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if not self.input_handler.key(event, True):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if not self.input_handler.key(event, False):
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        self.input_handler.focus_lost()
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        self.input_handler.enter(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        self.overlay.brush_position = None
        self.update_brush()
        self.cursor_moved.emit(None)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self.input_handler.gesture(event)
        return super().event(event)

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        if any(change.kind is ChangeKind.SIZE for change in changes):
            self.renderer.invalidate()  # what is drawn is of another size
            self.fit()
            return
        transform = self.camera.transform()
        for change in changes:
            if change.kind is ChangeKind.SELECTION:
                self.update()
            elif change.box is not None:
                rect = _grown(transform.mapRect(QRectF(*change.box)), self.camera.zoom)
                self.renderer.invalidate(rect & self.rect())
                self.update(rect & self.rect())
        if any(change.kind in (ChangeKind.LAYERS, ChangeKind.ACTIVE) for change in changes):
            self.update()

    def _update(self, rect: QRectF) -> None:
        if not rect.isEmpty():
            self.update(rect.toAlignedRect())


def _grown(rect: QRectF, zoom: float) -> QRect:
    """`rect` grown by the pixels that downscaling mixes in."""
    more = 2 + math.ceil(1 / max(zoom, 0.1))
    return rect.toAlignedRect().adjusted(-more, -more, more, more)


def _colours(theme: Theme) -> tuple[QColor, QColor, QColor]:
    return (*(_DARK_CHECKS if theme.is_dark else _LIGHT_CHECKS), theme.window)
