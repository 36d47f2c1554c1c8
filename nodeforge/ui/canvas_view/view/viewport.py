"""What the input handler needs of the canvas view: camera, overlays, session and signals."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.candidate_overlay import CandidateOverlay
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.view.overlay import CanvasOverlay


class Viewport(QWidget):
    """Base class of the canvas view, so that the input handler need not import it."""

    cursor_moved = Signal(object)
    """The canvas position under the mouse, or None."""
    menu_requested = Signal(object)
    """The screen position of the context menu."""

    session: CanvasSession
    camera: Camera
    overlay: CanvasOverlay
    candidate_overlay: CandidateOverlay

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom around a view position, by default the centre."""
        raise NotImplementedError

    def pan(self, by: QPointF) -> None:
        """Scroll by an offset in view pixels."""
        raise NotImplementedError

    def update_draft(self) -> None:
        """Redraw in draft mode while the camera moves, and smoothly after a pause."""
        raise NotImplementedError

    def update_brush(self) -> None:
        """Redraw the brush outline."""
        raise NotImplementedError
