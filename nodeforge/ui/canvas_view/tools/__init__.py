"""Canvas tools: one class each; every tool action is one undo step."""

from __future__ import annotations

from nodeforge.ui.canvas_view.tools.brush import BrushTool, EraserTool, StrokeTool
from nodeforge.ui.canvas_view.tools.clone import CloneTool
from nodeforge.ui.canvas_view.tools.colour_picker import ColourPickerTool
from nodeforge.ui.canvas_view.tools.crop import CropTool
from nodeforge.ui.canvas_view.tools.fill import FillTool
from nodeforge.ui.canvas_view.tools.generation_box import GenerationBoxTool
from nodeforge.ui.canvas_view.tools.gradient import GradientTool
from nodeforge.ui.canvas_view.tools.lasso import LassoSelectTool, PolygonSelectTool
from nodeforge.ui.canvas_view.tools.move import MoveTool
from nodeforge.ui.canvas_view.tools.paint_candidate import PaintCandidateTool
from nodeforge.ui.canvas_view.tools.rectangle_ellipse import EllipseSelectTool, RectangleSelectTool
from nodeforge.ui.canvas_view.tools.select_by_colour import SelectByColourTool
from nodeforge.ui.canvas_view.tools.tool import CLICK, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext

GROUPS: tuple[tuple[type[Tool], ...], ...] = (
    (BrushTool, EraserTool, CloneTool, FillTool, GradientTool),
    (
        RectangleSelectTool,
        EllipseSelectTool,
        LassoSelectTool,
        PolygonSelectTool,
        SelectByColourTool,
    ),
    (MoveTool, CropTool, ColourPickerTool, GenerationBoxTool),
)
"""The tools in tool bar order."""


def make_tools(session: ToolContext) -> list[Tool]:
    """Create all tools, including the one used only by the staging area."""
    return [*(kind(session) for group in GROUPS for kind in group), PaintCandidateTool(session)]


__all__ = [
    "CLICK",
    "GROUPS",
    "ColourPickerTool",
    "MoveTool",
    "PointerEvent",
    "StrokeTool",
    "Tool",
    "make_tools",
]
