"""Fill: one colour over all that hangs together."""

from __future__ import annotations

import math

from nodeforge.canvas import ColourInk, alike, paint_area
from nodeforge.ui.canvas_view.tools.tool import Tool, Touch
from nodeforge.ui.canvas_view.tools.tool_options import number, toggle

LIKENESS = (
    number("tolerance", "Tolerance", 24, 0, 255, 1),
    toggle("connected", "Connected", True),
    toggle("all_layers", "All layers", True),
    number("gap", "Close gaps", 0, 0, 64, 1, "px"),
)


def found(tool: Tool, touch: Touch):
    """The mask of what looks like the place of `touch`, by the tool's options."""
    state = tool.studio.canvas.state
    layer = None if tool.value("all_layers") or not state.active else state.layer(state.active)
    x, y = math.floor(touch.place.x()), math.floor(touch.place.y())
    return alike(
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
    hint = "Click an area. Alt: take a colour."
    options = LIKENESS
    picks = True

    def press(self, touch: Touch) -> None:
        layer = self.studio.ready_layer() if self.studio.inside(touch.place) else None
        if layer is None:
            return
        colour = (255, 255, 255, 255) if layer.is_mask else self.studio.kit.ink
        mask = found(self, touch)
        self.studio.perform(paint_area(self.studio.canvas, ColourInk(colour), mask))
