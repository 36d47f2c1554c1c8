"""The generation box tool: draws and moves the area that Generate works on."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTransform

from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.tools.rect_handles import (
    INSIDE,
    Handle,
    handle_at,
    handle_cursor,
    resized,
)
from nodeforge.ui.canvas_view.tools.tool import CLICK, Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import number_option

SMALLEST = 16
"""Minimum side of the box, pixels: a few latent cells."""


class GenerationBoxTool(Tool):
    name, title, icon, key = "box", "Generation box", "bounding-box", "K"
    hint = (
        "Drag the box, its handles, or a new one; beyond the picture it expands it. "
        "Shift keeps the proportions. Double-click fits it to the mask."
    )
    options = (number_option("grid", "Steps of", 8, 1, 256, 1, "px"),)

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._before: QRectF | None = None
        self._was: Box | None = None
        self._handle: Handle | None = None
        self._start: QPointF | None = None
        self._view: QTransform | None = None

    @property
    def _shown(self) -> QRectF | None:
        """The generation box, drawn or automatic."""
        box = self.session.shown_box()
        return QRectF(*box) if box is not None else None

    def press(self, pointer: PointerEvent) -> None:
        self._handle = self._handle_at(pointer)
        if self._handle == INSIDE and self.session.box is None:
            self._handle = None  # the mask chooses the box: a drag draws one
        self._start, self._was = pointer.position, self.session.box
        self._before = self._shown

    def drag(self, pointer: PointerEvent) -> None:
        if self._start is None:
            return
        by = pointer.position - self._start
        if self._handle is None or self._before is None:
            if by.manhattanLength() * pointer.zoom < CLICK:
                return
            rect = QRectF(self._start, pointer.position).normalized()
        else:
            rect = resized(
                self._before, self._handle, by, keep=pointer.has(Modifiers.ShiftModifier)
            )
            if self._handle == INSIDE:
                edges = (rect.left(), rect.top(), rect.right(), rect.bottom())
                rect.translate(self.session.snapping.offset(edges, pointer.zoom))
        self.session.set_box(self._on_grid(rect))

    def release(self, pointer: PointerEvent) -> None:
        self._start = None

    def double_click(self, pointer: PointerEvent) -> None:
        self._start = None
        self.session.set_box(None)

    def cursor_at(self, pointer: PointerEvent) -> Qt.CursorShape:
        return handle_cursor(self._handle_at(pointer))

    def cancel(self) -> bool:
        had, self._start = self._start is not None, None
        if had:
            self.session.set_box(self._was)
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        self._view = camera.transform()

    def _handle_at(self, pointer: PointerEvent) -> Handle | None:
        shown = self._shown
        if self._view is None or shown is None:
            return None
        return handle_at(shown, self._view, pointer.view_position)

    def _on_grid(self, rect: QRectF) -> Box:
        """Round a rectangle to the grid; near an edge of the canvas it keeps to it."""
        grid = self.value("grid")
        width, height = self.session.canvas.size
        left, wide = _on_grid(rect.left(), rect.width(), grid, width)
        top, high = _on_grid(rect.top(), rect.height(), grid, height)
        return Box(left, top, wide, high)


def _on_grid(start: float, length: float, grid: int, canvas: int) -> tuple[int, int]:
    """Start and length in one direction.

    A part stays on the canvas, and what would reach less than a step beyond it stays inside.
    """
    rounded = max(round(length / grid) * grid, SMALLEST)
    overlap = min(SMALLEST, canvas)
    first = min(max(round(start), overlap - rounded), canvas - overlap)
    if -grid < first < 0:
        first = 0
    if canvas < first + rounded < canvas + grid:
        inside = max(canvas - rounded, 0) if first >= 0 else first
        first, rounded = inside, min(rounded, canvas - inside)
    return first, rounded
