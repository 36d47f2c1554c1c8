"""The canvas' tools: each is one class, and what it does is one step to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeforge.ui.canvas_view.tools.brush import BrushTool, EraserTool, StrokeTool
from nodeforge.ui.canvas_view.tools.clone import CloneTool
from nodeforge.ui.canvas_view.tools.colour_picker import PickerTool
from nodeforge.ui.canvas_view.tools.crop import CropTool
from nodeforge.ui.canvas_view.tools.fill import FillTool
from nodeforge.ui.canvas_view.tools.generation_box import BoxTool
from nodeforge.ui.canvas_view.tools.gradient import GradientTool
from nodeforge.ui.canvas_view.tools.lasso import LassoTool, PolygonTool
from nodeforge.ui.canvas_view.tools.move import MoveTool
from nodeforge.ui.canvas_view.tools.paint_candidate import PaintInTool
from nodeforge.ui.canvas_view.tools.rectangle_ellipse import EllipseTool, RectangleTool
from nodeforge.ui.canvas_view.tools.select_by_colour import ByColourTool
from nodeforge.ui.canvas_view.tools.tool import CLICK, Tool, Touch

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.session import Studio

GROUPS: tuple[tuple[type[Tool], ...], ...] = (
    (BrushTool, EraserTool, CloneTool, FillTool, GradientTool),
    (RectangleTool, EllipseTool, LassoTool, PolygonTool, ByColourTool),
    (MoveTool, CropTool, PickerTool, BoxTool),
)
"""The tools as the tool bar shows them."""


def make_tools(studio: Studio) -> list[Tool]:
    """One of each, and the one that only staging takes in hand."""
    return [*(kind(studio) for group in GROUPS for kind in group), PaintInTool(studio)]


__all__ = [
    "CLICK",
    "GROUPS",
    "MoveTool",
    "PickerTool",
    "StrokeTool",
    "Tool",
    "Touch",
    "make_tools",
]
