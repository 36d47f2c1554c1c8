"""What tools need of the canvas session: canvas, options, snapping, generation box."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, Signal

from nodeforge.canvas import Canvas, CanvasEdit, Layer
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.tools.snapping import Snapping
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions


class ToolContext(QObject):
    """Base class of the canvas session, so that tools need not import it."""

    overlay_changed = Signal()
    """The overlay (tool, box, guides) must be redrawn."""
    status_message = Signal(str)
    """A message for the status bar: why something cannot be done."""

    canvas: Canvas
    tool_options: ToolOptions
    snapping: Snapping

    @property
    def box(self) -> Box | None:
        """The drawn generation box; None if it is automatic."""
        raise NotImplementedError

    def set_box(self, box: Box | None) -> None:
        """Set the generation box; None makes it automatic."""
        raise NotImplementedError

    def shown_box(self) -> Box | None:
        """The generation box: as drawn, or the automatic one."""
        raise NotImplementedError

    def select_tool(self, name: str) -> None:
        """Switch to another tool."""
        raise NotImplementedError

    def perform(self, edit: CanvasEdit) -> bool:
        """Make an edit; if it cannot be made, show why and return False."""
        raise NotImplementedError

    def paintable_layer(self) -> Layer | None:
        """The active layer, created if there is none; None if it cannot be painted on."""
        raise NotImplementedError

    def canvas_rect(self) -> QRectF:
        return QRectF(0, 0, *self.canvas.size)

    def contains(self, place: QPointF) -> bool:
        return self.canvas_rect().contains(place)
