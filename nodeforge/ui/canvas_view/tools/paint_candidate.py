"""The Paint candidate tool: paints parts of a candidate onto a new layer."""

from __future__ import annotations

from collections.abc import Callable

from nodeforge.canvas import LARGEST, LayerKind, Paint, PicturePaint, add_layer
from nodeforge.canvas.edits.layers import topmost_picture_layer
from nodeforge.imaging import Box, Bytes
from nodeforge.ui.canvas_view.tools.brush import StrokeTool
from nodeforge.ui.canvas_view.tools.tool import PointerEvent
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import PERCENT, number_option


class PaintCandidateTool(StrokeTool):
    name, title, icon, key, verb = "paint_in", "Paint candidate", "paint-roller", "", "paint in"
    hint = "Paint where the candidate should be. Enter ends it."
    options = (
        number_option("size", "Size", 80, 1, LARGEST, 1, "px"),
        number_option("hardness", "Hardness", 0.5, 0.0, 1.0, 0.01, PERCENT),
        number_option("opacity", "Opacity", 1.0, 0.01, 1.0, 0.01, PERCENT),
    )

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._ink: PicturePaint | None = None
        self._name = ""
        self._layer = ""
        self._ended: Callable[[bool], None] = lambda _: None

    def begin(self, pixels: Bytes, box: Box, name: str, ended: Callable[[bool], None]) -> None:
        """Start painting with a picture, premultiplied RGBA8, placed in `box`.

        Args:
            ended: Called when painting ends, with whether anything was painted.
        """
        self._ink = PicturePaint(pixels, box.left, box.top)
        self._name, self._ended, self._layer = name, ended, ""

    def press(self, pointer: PointerEvent) -> None:
        if self._ink is not None and not self.session.canvas.state.has(self._layer):
            self._add_layer()
        super().press(pointer)

    def ink(self, pointer: PointerEvent) -> Paint | None:
        return self._ink

    def enter(self) -> bool:
        self.session.select_tool("brush")
        return True

    def deactivate(self) -> None:
        painted = bool(self._layer) and self.session.canvas.state.has(self._layer)
        self._ink = None
        self._ended(painted)

    def _add_layer(self) -> None:
        canvas = self.session.canvas
        above = topmost_picture_layer(canvas.state) or None
        self.session.perform(add_layer(canvas, LayerKind.PAINT, self._name, above))
        self._layer = canvas.state.active
