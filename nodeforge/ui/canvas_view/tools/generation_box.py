"""The generation box: what Generate looks at and may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTransform

from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.tools.rect_handles import INSIDE, Grip, cursor_of, grip_at, resized
from nodeforge.ui.canvas_view.tools.tool import CLICK, Keys, Tool, Touch
from nodeforge.ui.canvas_view.tools.tool_options import number

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio

SMALLEST = 16
"""Pixels: a box needs at least a few cells of a latent."""


class BoxTool(Tool):
    name, title, icon, key = "box", "Generation box", "bounding-box", "K"
    hint = (
        "Drag the box, its handles, or a new one. Shift keeps the proportions. "
        "A double-click lets the mask choose it."
    )
    options = (number("grid", "Steps of", 8, 1, 256, 1, "px"),)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._before: QRectF | None = None
        self._was: Box | None = None
        self._grip: Grip | None = None
        self._start: QPointF | None = None
        self._view: QTransform | None = None

    @property
    def _shown(self) -> QRectF | None:
        """The box as it is drawn, also where it is chosen from the mask."""
        box = self.studio.shown_box()
        return QRectF(*box) if box is not None else None

    def press(self, touch: Touch) -> None:
        self._grip = self._grip_at(touch)
        if self._grip == INSIDE and self.studio.box is None:
            self._grip = None  # the mask chooses the box: a drag draws one
        self._start, self._was = touch.place, self.studio.box
        self._before = self._shown

    def drag(self, touch: Touch) -> None:
        if self._start is None:
            return
        by = touch.place - self._start
        if self._grip is None or self._before is None:
            if by.manhattanLength() * touch.zoom < CLICK:
                return
            rect = QRectF(self._start, touch.place).normalized()
        else:
            rect = resized(self._before, self._grip, by, keep=touch.has(Keys.ShiftModifier))
            if self._grip == INSIDE:
                edges = (rect.left(), rect.top(), rect.right(), rect.bottom())
                rect.translate(self.studio.snap.shift(edges, touch.zoom))
        self.studio.set_box(self._on_grid(rect))

    def release(self, touch: Touch) -> None:
        self._start = None

    def double(self, touch: Touch) -> None:
        self._start = None
        self.studio.set_box(None)

    def cursor_at(self, touch: Touch) -> Qt.CursorShape:
        return cursor_of(self._grip_at(touch))

    def cancel(self) -> bool:
        had, self._start = self._start is not None, None
        if had:
            self.studio.set_box(self._was)
        return had

    def paint(self, painter: QPainter, camera: Camera) -> None:
        self._view = camera.transform()

    def _grip_at(self, touch: Touch) -> Grip | None:
        shown = self._shown
        if self._view is None or shown is None:
            return None
        return grip_at(shown, self._view, touch.at)

    def _on_grid(self, rect: QRectF) -> Box:
        """Within the canvas, in steps of the grid, never too small."""
        grid = self.value("grid")
        width, height = self.studio.canvas.size
        sides = (
            min(max(round(side / grid) * grid, min(SMALLEST, most)), max(most, 1))
            for side, most in ((rect.width(), width), (rect.height(), height))
        )
        wide, high = sides
        left = min(max(round(rect.left()), 0), width - wide)
        top = min(max(round(rect.top()), 0), height - high)
        return Box(left, top, wide, high)
