"""The Fill tool: fills areas of similar colour."""

from __future__ import annotations

import math

from nodeforge.canvas import ColourPaint, paint_area, similar_area
from nodeforge.ui.canvas_view.tools.tool import PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_options import number_option, toggle_option

SIMILARITY_OPTIONS = (
    number_option("tolerance", "Tolerance", 24, 0, 255, 1),
    toggle_option("connected", "Connected", True),
    toggle_option("all_layers", "All layers", True),
    number_option("gap", "Close gaps", 0, 0, 64, 1, "px"),
)


def area_at(tool: Tool, pointer: PointerEvent):
    """The mask of pixels similar to the one at `pointer`, by the tool's options."""
    state = tool.session.canvas.state
    layer = None if tool.value("all_layers") or not state.active else state.layer(state.active)
    x, y = math.floor(pointer.position.x()), math.floor(pointer.position.y())
    return similar_area(
        state,
        x,
        y,
        tool.value("tolerance"),
        layer=layer,
        connected=tool.value("connected"),
        gap=tool.value("gap"),
    )


class FillTool(Tool):
    name, title, icon, key = "fill", "Fill", "paint-bucket", "G"
    hint = "Click an area. Alt: pick a colour."
    options = SIMILARITY_OPTIONS
    picks_colour = True

    def press(self, pointer: PointerEvent) -> None:
        layer = self.session.paintable_layer() if self.session.contains(pointer.position) else None
        if layer is None:
            return
        colour = (255, 255, 255, 255) if layer.is_mask else self.session.tool_options.paint_colour
        mask = area_at(self, pointer)
        self.session.perform(paint_area(self.session.canvas, ColourPaint(colour), mask))
